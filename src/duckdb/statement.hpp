#pragma once
// One SELECT or EXPLAIN: prepare, bind, run, and fetch its rows chunk by chunk while it runs.
#include <optional>
#include <string>
#include <vector>

#include "duckdb/handles.hpp"
#include "duckdb/run_control.hpp"
#include "duckdb/sql_template.hpp"

namespace gaur::duckdb {

/// Thread-safety: confined.
class Statement {
 public:
  /// `user_sql` is the template's text, for positions. Only one statement, of type SELECT or EXPLAIN.
  /// Errors: syntax, binder, catalog, permission and the like, with line and column of the user's SQL.
  static Run<Statement> prepare(const Api& api, duckdb_connection connection, RenderedSql sql,
                                std::string user_sql);

  std::vector<std::string> parameter_names() const;
  /// Names and exact types of the columns, as far as known before values are bound. VARCHAR for
  /// columns with DuckDB's text (foreign_columns.hpp).
  std::vector<std::pair<std::string, std::string>> columns() const;
  Run<Unit> bind(const std::string& name, const Value& value);

  /// Plans it with the bound values; with one thread in the instance it does not run.
  Run<Unit> plan(duckdb_connection connection) const;
  /// Starts it and returns with the first rows. Call it once.
  Run<Unit> start();
  /// The next rows; an empty handle at the end.
  Run<Chunk> next(RunControl& control);
  std::vector<std::string> result_names();
  std::vector<LogicalType> result_types();

 private:
  Statement(const Api& api, RenderedSql sql, std::string user_sql);
  Run<Unit> prepare_one(duckdb_connection connection, const std::string& sql);
  std::optional<RunFailure> syntax_failure(duckdb_connection connection, const std::string& sql) const;
  RunFailure failure(std::string_view text) const;

  const Api* api_;
  RenderedSql sql_;
  std::string user_sql_;
  bool ended_ = false;  // the stream has ended; DuckDB returns an error for another fetch
  Prepared prepared_;
  QueryResult result_;
};

}  // namespace gaur::duckdb
