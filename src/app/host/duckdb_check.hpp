#pragma once
// Checks a duckdb pool with gaur-duckdb, which prepares every statement on the real database.
#include "app/config/config.hpp"

namespace gaur::app {

/// Runs `gaur-duckdb --check` on the pool's spec and adds its problems to `settings`, each with its position
/// in gaur.toml. Also checks functions whose keys have problems already. Blocks until the program ends.
void check_duckdb_pool(Settings& settings, const Config& config, const std::string& pool);

}  // namespace gaur::app
