#pragma once
// Columns whose values the C API cannot read from vectors (VARIANT, GEOMETRY, types of newer
// versions of DuckDB) are returned as DuckDB's text. The user's query is not changed: a second query casts
// its rows.
#include <memory>

#include "duckdb/instance.hpp"
#include "duckdb/rows_table.hpp"
#include "duckdb/statement.hpp"

namespace gaur::duckdb {

/// Thread-safety: confined to the thread of the job, as the statement.
class ForeignColumns {
 public:
  /// `started`: a statement with at least one such column, which this object then owns. Errors: those of the
  /// query, and not_implemented for a type that has no cast either.
  static Run<std::unique_ptr<ForeignColumns>> cast(const Api& api, Instance& instance, RunControl& control,
                                                   Statement started);
  ~ForeignColumns();
  ForeignColumns(const ForeignColumns&) = delete;
  ForeignColumns& operator=(const ForeignColumns&) = delete;

  Run<Chunk> next(RunControl& control);
  std::vector<std::string> result_names() { return original_.result_names(); }
  std::vector<LogicalType> result_types() { return casting_->result_types(); }

 private:
  ForeignColumns(const Api& api, Instance& instance, RunControl& control, Statement started);
  Run<Unit> start();

  const Api& api_;
  Instance& instance_;
  RunControl& control_;
  Statement original_;
  std::vector<LogicalType> types_;
  RowsSource source_;
  Connection connection_;
  std::optional<Attached> attached_;
  std::optional<Statement> casting_;  // destroyed first: it reads the source
};

}  // namespace gaur::duckdb
