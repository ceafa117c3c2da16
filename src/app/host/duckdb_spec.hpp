#pragma once
// Converts [pools.*.duckdb] and [functions.*] to the spec of gaur-duckdb (docs/reference/duckdb.md), and the
// paths in its problems to keys of gaur.toml. Thread-safety: pure, except that
// gaur_duckdb_program() reads /proc.
#include <filesystem>

#include "app/config/config.hpp"

namespace gaur::app {

/// The spec of one pool of kind duckdb, as JSON text.
std::string compose_duckdb_spec(const Settings& settings, const Config& config, const std::string& pool);

/// Parses a line of `gaur-duckdb --check`: {"path":"functions.top.params.day.type","message":"..."}.
/// Any other text becomes the message of a problem of the pool.
Problem problem_of_duckdb(const Settings& settings, const std::string& pool, std::string_view line);

/// The path of gaur-duckdb beside this executable. The file may not exist.
std::filesystem::path gaur_duckdb_program();

}  // namespace gaur::app
