#pragma once
// The table function `__gaur_rows()`: a COPY reads the rows of a running query from it, without a second run.
// It passes the query's vectors by reference.
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "duckdb/handles.hpp"

namespace gaur::duckdb {

inline constexpr std::string_view kRowsTable = "__gaur_rows";
/// A second table function, for rows that are cast before they are encoded or written.
inline constexpr std::string_view kForeignRowsTable = "__gaur_foreign_rows";

/// The source of rows. `next` returns an empty chunk at the end.
struct RowsSource {
  /// Distinct.
  std::vector<std::string> names;
  const std::vector<LogicalType>* types = nullptr;
  std::function<Run<Chunk>()> next;
  /// There is at least one row.
  bool any = true;
  /// Limit of rows.
  std::size_t rows_left = 0;
  /// Rows passed so far.
  std::size_t rows = 0;
  /// The source had more rows.
  bool truncated = false;
  std::optional<RunFailure> failure;
};

/// Thread-safety: arm and disarm on the thread of the job; DuckDB's threads call in between.
class RowsTable {
 public:
  /// Registers the function `name` with the database of `connection`. The object must outlive the database.
  static Run<std::unique_ptr<RowsTable>> make(const Api& api, duckdb_connection connection,
                                              std::string_view name);

  /// Until disarm the function reads `source`; at all other times using it is an error.
  void arm(RowsSource& source);
  void disarm();

 private:
  explicit RowsTable(const Api& api) : api_(api) {}
  static void bind(duckdb_bind_info info);
  static void init(duckdb_init_info info);
  static void read(duckdb_function_info info, duckdb_data_chunk output);
  void hand_over(duckdb_function_info info, duckdb_data_chunk output);

  const Api& api_;
  std::mutex mutex_;
  RowsSource* source_ = nullptr;
};

}  // namespace gaur::duckdb
