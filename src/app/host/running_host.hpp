#pragma once
// Finds the host that runs on a data folder, and sends it requests from another process.
#include <optional>
#include <string>

#include "app/config/config.hpp"
#include "app/host/host_file.hpp"
#include "app/host/http_call.hpp"
#include "base/json.hpp"

namespace gaur::app {

class RunningHost {
 public:
  RunningHost(HostFile file, std::string token, http::TlsFiles tls)
      : file_(std::move(file)), token_(std::move(token)), tls_(std::move(tls)) {}

  const HostFile& file() const { return file_; }
  /// Returns the status of GET /v1/host after the request. Errors: those of call_http(); kPermission (the
  /// token), kUnsupported (the host takes no jobs), kInternal (with its message).
  Result<json::Object> request(const std::string& method, const std::string& path) const;

 private:
  HostFile file_;
  std::string token_;
  http::TlsFiles tls_;
};

/// std::nullopt: the folder is not locked, so no host runs on it. Errors: kNotFound (a host runs, but has
/// written no address), those of read_host_file() and read_secret_file().
Result<std::optional<RunningHost>> find_running_host(const Config& config);

}  // namespace gaur::app
