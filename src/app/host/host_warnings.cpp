#include "app/host/host_warnings.hpp"

#include <fmt/format.h>

#include "app/host/runner_isolation.hpp"
#include "base/landlock.hpp"

namespace gaur::app {

std::vector<std::string> host_warnings(const Config& config, bool runs_jobs) {
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
  if (runs_jobs) {
    for (std::string& warning : isolation_warnings(config)) warnings.push_back(std::move(warning));
  }
  return warnings;
}

}  // namespace gaur::app
