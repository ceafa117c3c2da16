#pragma once
// One HTTP request to a host on this machine, for subcommands that use a running host.
#include <string>

#include "gaur/names.hpp"
#include "gaur/result.hpp"
#include "http/tls_files.hpp"

namespace gaur::app {

struct HttpCall {
  /// "http://127.0.0.1:8378" or "https://127.0.0.1:8378".
  std::string url;
  std::string method = "GET";
  /// With query.
  std::string path;
  /// "": none.
  std::string token{};
  /// Of the host's TLS, for https. Only its certificate is accepted, and is presented to it.
  http::TlsFiles tls{};
  /// Of connecting, of sending and of receiving.
  Duration timeout{10'000};
};
struct HttpAnswer {
  int status = 0;
  /// At most 8 MiB.
  std::string body;
};

/// Blocks. Errors: kDisconnected (no host listens there, or it closed the connection), kTimeout,
/// kInvalidArgument (the URL), kCorrupt (not HTTP, or over 8 MiB).
Result<HttpAnswer> call_http(const HttpCall& call);

}  // namespace gaur::app
