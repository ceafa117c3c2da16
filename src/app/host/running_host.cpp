#include "app/host/running_host.hpp"

#include <fmt/format.h>

#include "base/secret_file.hpp"
#include "base/try.hpp"

namespace gaur::app {
namespace {

/// The configured token, or the one in the token file that the host names.
Result<std::string> token_for(const Config& config, const HostFile& file) {
  if (!config.token.empty() || file.token_file.empty()) return config.token;
  const auto lines = read_secret_file(file.token_file);
  if (!lines) return lines.error().in(fmt::format("the token of the host at {}", file.url));
  return lines->front();
}

}  // namespace

Result<json::Object> RunningHost::request(const std::string& method, const std::string& path) const {
  GAUR_TRY(const HttpAnswer answer,
           call_http({.url = file_.url, .method = method, .path = path, .token = token_, .tls = tls_}));
  const auto object = json::parse_object(answer.body);
  if (answer.status < 300 && object) return *object;
  const std::string detail = object ? json::text_or(*object, "detail", answer.body) : answer.body;
  const Errc code = answer.status == 401 || answer.status == 403 ? Errc::kPermission
                    : answer.status == 501                       ? Errc::kUnsupported
                                                                 : Errc::kInternal;
  return Error{code, fmt::format("the host at {} answered {}: {}", file_.url, answer.status, detail)};
}

Result<std::optional<RunningHost>> find_running_host(const Config& config) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(config.data_folder, ignored)) return std::optional<RunningHost>();
  const auto lock = lock_data_folder(config.data_folder);
  if (lock) return std::optional<RunningHost>();
  if (lock.error().code != Errc::kBusy) return lock.error();
  auto file = read_host_file(config.data_folder);
  if (!file) {
    const Error& error = file.error();
    return Error{error.code, lock.error().message + (error.code == Errc::kNotFound
                                                         ? ", which has written no address (host.json)"
                                                         : "; " + error.message)};
  }
  GAUR_TRY(std::string token, token_for(config, *file));
  return std::optional(RunningHost(*std::move(file), std::move(token), config.tls));
}

}  // namespace gaur::app
