#pragma once
// Rows of DuckDB vectors as JSON that loses nothing, for every DuckDB type (docs/reference/duckdb.md, "How
// values are written").
#include <memory>
#include <string>
#include <vector>

#include "duckdb/handles.hpp"
#include "duckdb/spec.hpp"

namespace gaur::duckdb {

struct EncodingOptions {
  Shape shape = Shape::kObjects;
  bool bigint_number = false;
  bool decimal_number = false;
  bool nonfinite_text = false;
};

struct Column {
  std::string name;
  /// As DuckDB writes it: "DECIMAL(18,3)", "STRUCT(a INTEGER, b VARCHAR[])".
  std::string type;
  /// Its JSON type: boolean, number, string, array, object.
  std::string json;
};

/// The exact type as DuckDB writes it.
std::string type_text(const Api& api, duckdb_logical_type type);
/// The type is, or contains, one whose vectors the C API cannot read (VARIANT, GEOMETRY, types of newer
/// versions of DuckDB).
bool has_foreign_type(const Api& api, duckdb_logical_type type);
/// Makes column names unique, ignoring case: a second "n" becomes "n_1".
std::vector<std::string> distinct_names(std::vector<std::string> names);

/// Thread-safety: confined. bind() a chunk, then append its rows.
class RowEncoder {
 public:
  RowEncoder(const Api& api, std::vector<std::string> names, const std::vector<LogicalType>& types,
             EncodingOptions options);
  ~RowEncoder();
  RowEncoder(const RowEncoder&) = delete;
  RowEncoder& operator=(const RowEncoder&) = delete;

  const std::vector<Column>& columns() const { return columns_; }
  /// Points the encoder at a chunk, which must live until the next bind.
  void bind(duckdb_data_chunk chunk);
  /// One row as an object or array, without a line end.
  void append_row(std::string& out, std::size_t row) const;

  class Node;

 private:
  const Api& api_;
  EncodingOptions options_;
  std::vector<Column> columns_;
  std::vector<std::string> keys_;  // the text before each value: "{\"name\":"
  std::vector<std::unique_ptr<Node>> nodes_;
};

}  // namespace gaur::duckdb
