#include "app/host/host_warnings.hpp"

#include <fmt/format.h>

#include "base/landlock.hpp"

namespace gaur::app {

std::vector<std::string> host_warnings(const Config& config) {
  std::vector<std::string> warnings;
  const auto abi = landlock_abi();
  for (const auto& [name, pool] : config.pools) {
    if (!pool.duckdb || pool.sandbox == "off" || abi) continue;
    warnings.push_back(
        fmt::format("pool {} is not confined by Landlock: {}; its SQL is fenced by DuckDB alone "
                    "(pools.{}.duckdb.sandbox)",
                    name, abi.error().message, name));
  }
  return warnings;
}

}  // namespace gaur::app
