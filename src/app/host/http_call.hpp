#pragma once
// One HTTP request to a host on this machine, for subcommands that use a running host.
#include <string>

#include "gaur/names.hpp"
#include "gaur/result.hpp"

namespace gaur::app {

struct HttpCall {
  std::string url;  ///< "http://127.0.0.1:8378"
  std::string method = "GET";
  std::string path;          ///< with query
  std::string token{};       ///< "": none
  Duration timeout{10'000};  ///< of connecting, of sending and of receiving
};
struct HttpAnswer {
  int status = 0;
  std::string body;  ///< at most 8 MiB
};

/// Blocks. Errors: kDisconnected (no host listens there, or it closed the connection), kTimeout,
/// kInvalidArgument (the URL), kCorrupt (not HTTP, or over 8 MiB).
Result<HttpAnswer> call_http(const HttpCall& call);

}  // namespace gaur::app
