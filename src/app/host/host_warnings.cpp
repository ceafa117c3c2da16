#include "app/host/host_warnings.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include "app/host/open_files.hpp"
#include "app/host/runner_isolation.hpp"
#include "base/landlock.hpp"
#include "base/time_text.hpp"

namespace gaur::app {

namespace {

constexpr std::chrono::hours kRenewalTime{14 * 24};

/// Secrets that every user of the machine can read, runners included.
void warn_of_readable_secrets(const Config& config, std::vector<std::string>& warnings) {
  std::vector<std::filesystem::path> files = config.token_files;
  if (config.tls.on()) files.push_back(config.tls.key);
  for (const std::filesystem::path& file : files) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    const unsigned mode = status.st_mode & 0777U;
    if ((mode & (S_IWGRP | S_IROTH | S_IWOTH)) == 0) continue;
    warnings.push_back(fmt::format("other users can {} the secret in {} (mode {:04o}); chmod 600 {}",
                                   (mode & S_IROTH) != 0 ? "read" : "replace", file.string(), mode,
                                   file.string()));
  }
}

}  // namespace

std::optional<std::string> certificate_warning(const Config& config, Time now) {
  if (!config.tls.on()) return std::nullopt;
  const auto end = http::end_of_certificate(config.tls.certificate);
  if (!end || *end - now > kRenewalTime) return std::nullopt;
  return fmt::format("the certificate {} {} ({}); renew it, the server reads the new file by itself",
                     config.tls.certificate.string(),
                     *end <= now ? "has expired" : "expires within two weeks", iso_time_seconds(*end));
}

std::vector<std::string> host_warnings(const Config& config, bool runs_jobs, Time now) {
  std::vector<std::string> warnings;
  if (config.functions.empty() && runs_jobs) {
    warnings.emplace_back(
        "no functions are configured, so no job can run; write a gaur.toml (gaur init drafts one from a Bull "
        "deployment, docs/reference/configuration.md lists the keys) and check it with gaur check");
  }
  const auto abi = landlock_abi();
  for (const auto& [name, pool] : config.pools) {
    if (!pool.duckdb || pool.sandbox == "off" || abi) continue;
    warnings.push_back(
        fmt::format("pool {} is not sandboxed by Landlock: {}; only DuckDB restricts its SQL "
                    "(pools.{}.duckdb.sandbox)",
                    name, abi.error().message, name));
  }
  if (auto few_files = open_files_warning(config)) warnings.push_back(*std::move(few_files));
  warn_of_readable_secrets(config, warnings);
  if (auto certificate = certificate_warning(config, now)) warnings.push_back(*std::move(certificate));
  if (runs_jobs) {
    for (std::string& warning : isolation_warnings(config)) warnings.push_back(std::move(warning));
  }
  return warnings;
}

}  // namespace gaur::app
