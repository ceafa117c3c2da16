#pragma once
// Small queries of Gaur itself: all rows at once, as JSON.
#include <string>

#include "duckdb/handles.hpp"

namespace gaur::duckdb {

/// The rows of one SELECT, each an array of its values as docs/reference/duckdb.md writes them. For a few
/// rows: the number is not limited. Errors: DuckDB's.
Run<json::Array> query_rows(const Api& api, duckdb_connection connection, const std::string& sql);

}  // namespace gaur::duckdb
