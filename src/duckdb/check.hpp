#pragma once
// Checks a spec before the first job: its members, paths, the library, the database, and the SQL of each
// function in each of its variants.
#include <memory>
#include <string>
#include <vector>

#include "duckdb/library.hpp"
#include "duckdb/spec.hpp"

namespace gaur::duckdb {

/// A checked spec and the loaded library. Thread-safety: a value.
struct Loaded {
  std::unique_ptr<const Api> api;
  Spec spec;
};

/// Reads the file, checks members and paths, changes to the root folder, loads the library. Adds problems;
/// with any, use the result only for check_functions() (its `api` may be null).
Loaded load(const std::filesystem::path& file, std::vector<Problem>& problems);

/// Opens the database in a temporary folder and prepares every function. `problems` contains those of load():
/// a function with problems is checked as far as possible; if the database cannot be opened as configured,
/// only the syntax is checked.
void check_functions(const Api& api, const Spec& spec, std::vector<Problem>& problems);

/// The functions as JSON, for people and code generators. Functions that cannot be prepared have no columns.
std::string describe(const Api& api, const Spec& spec);

/// {"path":"functions.top.sql","message":"...","line":1,"column":8}, without a newline.
std::string problem_line(const Problem& problem);

}  // namespace gaur::duckdb
