#pragma once
// Restricts the functions that SQL of callers (ad hoc) and planners may call. Some of DuckDB's table
// functions change files, settings or the state of the process in a SELECT (enable_profiling, enable_logging,
// checkpoint), and some run SQL from a string (query), which no check sees. Only the functions listed in
// sql_policy.cpp, which only read, are allowed: a function of a newer version of DuckDB is rejected until it
// is listed. Landlock (sandbox.hpp) is the second protection.
#include <optional>
#include <set>
#include <string>

#include "duckdb/handles.hpp"
#include "duckdb/spec.hpp"

namespace gaur::duckdb {

/// Thread-safety: confined to the thread that runs jobs.
class SqlPolicy {
 public:
  SqlPolicy(const Api& api, const Spec& spec) : api_(api), spec_(spec) {}

  /// Checks DuckDB's own parse tree of a SELECT or EXPLAIN; nothing is bound or run. Returns the text to run:
  /// `sql` with the text before an explained query replaced by blanks, so that positions stay. Errors:
  /// permission; syntax, with the position.
  Run<std::string> check_query(duckdb_connection connection, std::string sql);
  /// Checks one statement that a planner runs before its SELECT. DuckDB has no parse tree for these, so the
  /// tokens are checked: the kind of the statement, and that no identifier is the name of a rejected
  /// function.
  Run<Unit> check_setup(duckdb_connection connection, const std::string& sql);

 private:
  Run<Unit> check_name(duckdb_connection connection, const std::string& name);

  const Api& api_;
  const Spec& spec_;
  std::optional<std::set<std::string>> rejected_;  // the catalog's table functions that are not allowed
};

}  // namespace gaur::duckdb
