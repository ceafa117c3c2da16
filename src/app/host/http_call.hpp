#pragma once
// One request to a host on this machine and its answer: for subcommands that talk to a running host.
#include <string>

#include "gaur/names.hpp"
#include "gaur/result.hpp"

namespace gaur::app {

struct HttpCall {
  std::string url;  ///< "http://127.0.0.1:8378"
  std::string method = "GET";
  std::string path;          ///< with its query
  std::string token{};       ///< "": none
  Duration timeout{10'000};  ///< of each wait for bytes
};
struct HttpAnswer {
  int status = 0;
  std::string body;  ///< at most 8 MiB
};

/// Blocks. Errors: kDisconnected (nobody listens there, or it hung up), kTimeout, kInvalidArgument (the URL),
/// kCorrupt (no HTTP).
Result<HttpAnswer> call_http(const HttpCall& call);

}  // namespace gaur::app
