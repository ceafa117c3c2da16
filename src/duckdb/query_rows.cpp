#include "duckdb/query_rows.hpp"

#include "duckdb/encoder.hpp"
#include "duckdb/sql_error.hpp"

namespace gaur::duckdb {
namespace {

constexpr json::ParseLimits kRowLimits{.max_bytes = 256 << 20, .max_depth = 64};

RunFailure failure_of(const Api& api, QueryResult& result) {
  const char* text = api.result_error(result.get());
  return to_failure(read_sql_error(text == nullptr ? "unknown error" : text), "", std::nullopt);
}

}  // namespace

Run<json::Array> query_rows(const Api& api, duckdb_connection connection, const std::string& sql) {
  QueryResult result(api);
  if (api.query(connection, sql.c_str(), result.get()) != DuckDBSuccess) return fail(failure_of(api, result));
  std::vector<std::string> names;
  std::vector<LogicalType> types;
  for (idx_t i = 0; i < api.column_count(result.get()); ++i) {
    names.emplace_back(api.column_name(result.get(), i));
    types.emplace_back(api.destroy_logical_type, api.column_logical_type(result.get(), i));
  }
  RowEncoder encoder(api, names, types, {Shape::kArrays, true, false, false});
  std::string text = "[";
  while (const Chunk chunk{api.destroy_data_chunk, api.fetch_chunk(*result.get())}) {
    encoder.bind(chunk.get());
    for (idx_t row = 0; row < api.data_chunk_get_size(chunk.get()); ++row) {
      if (text.size() > 1) text += ',';
      encoder.append_row(text, row);
    }
  }
  auto rows = json::parse(text + "]", kRowLimits);
  if (!rows)
    return fail({"internal", "cannot read the answer of DuckDB: " + rows.error().message, false, {}});
  return std::move(rows->as_array());
}

}  // namespace gaur::duckdb
