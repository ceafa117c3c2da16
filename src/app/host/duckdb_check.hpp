#pragma once
// What gaur-duckdb itself has to say about a pool: every statement prepared on the real database.
#include "app/config/config.hpp"

namespace gaur::app {

/// Runs `gaur-duckdb --check` over the pool's spec and adds its problems to `settings`, each at its place in
/// gaur.toml. Functions whose own keys have problems already are checked all the same. Blocks for as long as
/// that takes.
void check_duckdb_pool(Settings& settings, const Config& config, const std::string& pool);

}  // namespace gaur::app
