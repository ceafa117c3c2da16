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
  std::string type;  ///< DuckDB's own words: "DECIMAL(18,3)", "STRUCT(a INTEGER, b VARCHAR[])"
  std::string json;  ///< what JSON has for it: boolean, number, string, array, object
};

/// The exact type in DuckDB's words.
std::string type_text(const Api& api, duckdb_logical_type type);
/// A type that has no vectors we can read (VARIANT, GEOMETRY, what a later DuckDB brings), anywhere within.
bool has_foreign_type(const Api& api, duckdb_logical_type type);
/// Names of columns so that each is there once (without regard to case): a second "n" becomes "n_1".
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
  std::vector<std::string> keys_;  // "{\"name\":" and so on: what stands before each value
  std::vector<std::unique_ptr<Node>> nodes_;
};

}  // namespace gaur::duckdb
