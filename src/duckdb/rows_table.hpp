#pragma once
// Rows on their way into a file without a second run of the query: a table function of ours, `__gaur_rows()`,
// that a COPY reads and that hands over the very vectors which the query's stream delivers, by reference.
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "duckdb/handles.hpp"

namespace gaur::duckdb {

inline constexpr std::string_view kRowsTable = "__gaur_rows";
/// A second one, for rows that are cast before they are encoded or written.
inline constexpr std::string_view kForeignRowsTable = "__gaur_foreign_rows";

/// Where the rows come from. `next` gives an empty chunk at the end.
struct RowsSource {
  std::vector<std::string> names;  ///< distinct
  const std::vector<LogicalType>* types = nullptr;
  std::function<Run<Chunk>()> next;
  bool any = true;            ///< there is at least one row
  std::size_t rows_left = 0;  ///< how many rows at most
  std::size_t rows = 0;       ///< how many were handed over
  bool truncated = false;     ///< there were more
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
