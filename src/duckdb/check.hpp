#pragma once
// Everything about a spec that can be wrong, found before the first job: shape, paths, the library, the
// database, each function's SQL in each of its variants.
#include <memory>
#include <string>
#include <vector>

#include "duckdb/library.hpp"
#include "duckdb/spec.hpp"

namespace gaur::duckdb {

/// A spec that may be used, and what it needs. Thread-safety: a value.
struct Loaded {
  std::unique_ptr<const Api> api;
  Spec spec;
};

/// Reads the file, checks shape and paths, changes to the root folder, loads the library. Problems are added;
/// with any, the result is only for check_functions() (its `api` may be null).
Loaded load(const std::filesystem::path& file, std::vector<Problem>& problems);

/// Opens the database in a scratch folder of its own and prepares every function. `problems` contains what
/// load() found: a function with problems of its own is checked as far as these allow; where the pool has
/// some, so that its database cannot be opened as configured, the syntax alone is checked.
void check_functions(const Api& api, const Spec& spec, std::vector<Problem>& problems);

/// The functions as JSON, for people and for what is generated from them. Functions that cannot be prepared
/// have no columns.
std::string describe(const Api& api, const Spec& spec);

/// {"path":"functions.top.sql","message":"...","line":1,"column":8}, without a newline.
std::string problem_line(const Problem& problem);

}  // namespace gaur::duckdb
