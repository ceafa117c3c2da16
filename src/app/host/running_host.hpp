#pragma once
// The host that runs on a data folder, as seen from another process: whether there is one, and what it
// answers.
#include <optional>
#include <string>

#include "app/config/config.hpp"
#include "app/host/host_file.hpp"
#include "app/host/http_call.hpp"
#include "base/json.hpp"

namespace gaur::app {

class RunningHost {
 public:
  RunningHost(HostFile file, std::string token) : file_(std::move(file)), token_(std::move(token)) {}

  const HostFile& file() const { return file_; }
  /// The status as GET /v1/host tells it, after this was asked for. Errors: those of call_http(); kPermission
  /// (the token), kUnsupported (it takes no jobs), kInternal (with what it said).
  Result<json::Object> ask(const std::string& method, const std::string& path) const;

 private:
  HostFile file_;
  std::string token_;
};

/// Nothing: the folder is not locked, so no host runs on it. Errors: kNotFound (one runs, but does not say
/// where), kIo.
Result<std::optional<RunningHost>> find_running_host(const Config& config);

}  // namespace gaur::app
