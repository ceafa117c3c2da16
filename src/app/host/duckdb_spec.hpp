#pragma once
// From [pools.*.duckdb] and [functions.*] to the spec of gaur-duckdb (docs/reference/duckdb.md), and from the
// paths in its complaints back to gaur.toml. Thread-safety: pure but for reading SQL files.
#include <filesystem>

#include "app/config/config.hpp"

namespace gaur::app {

/// The spec of one pool of kind duckdb, as JSON text.
std::string compose_duckdb_spec(const Settings& settings, const Config& config, const std::string& pool);

/// A line that `gaur-duckdb --check` printed: {"path":"functions.top.params.day.type","message":"..."}.
/// Text that is no such line becomes the message of a problem of the pool as a whole.
Problem problem_of_duckdb(const Settings& settings, const std::string& pool, std::string_view line);

/// Our own gaur-duckdb: beside this executable, whether it is there or not.
std::filesystem::path gaur_duckdb_program();

}  // namespace gaur::app
