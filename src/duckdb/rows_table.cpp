#include "duckdb/rows_table.hpp"

#include <algorithm>

namespace gaur::duckdb {
namespace {

// The callbacks receive an opaque handle and need the library's functions to resolve it. One process loads
// one library, so its functions are stored here.
const Api* callbacks = nullptr;

}  // namespace

Run<std::unique_ptr<RowsTable>> RowsTable::make(const Api& api, duckdb_connection connection,
                                                std::string_view name) {
  callbacks = &api;
  std::unique_ptr<RowsTable> table(new RowsTable(api));
  Owned<duckdb_table_function> function(api.destroy_table_function, api.create_table_function());
  api.table_function_set_name(function.get(), std::string(name).c_str());
  api.table_function_set_extra_info(function.get(), table.get(), nullptr);
  api.table_function_set_bind(function.get(), bind);
  api.table_function_set_init(function.get(), init);
  api.table_function_set_function(function.get(), read);
  if (api.register_table_function(connection, function.get()) != DuckDBSuccess) {
    return fail({"internal", "DuckDB refuses our table function", false, {}});
  }
  return table;
}

void RowsTable::arm(RowsSource& source) {
  const std::lock_guard lock(mutex_);
  source_ = &source;
}

void RowsTable::disarm() {
  const std::lock_guard lock(mutex_);
  source_ = nullptr;
}

void RowsTable::bind(duckdb_bind_info info) {
  auto* table = static_cast<RowsTable*>(callbacks->bind_get_extra_info(info));
  const std::lock_guard lock(table->mutex_);
  if (table->source_ == nullptr)
    return callbacks->bind_set_error(info, "this function is Gaur's own and has no rows here");
  for (std::size_t i = 0; i < table->source_->names.size(); ++i) {
    callbacks->bind_add_result_column(info, table->source_->names[i].c_str(),
                                      (*table->source_->types)[i].get());
  }
}

void RowsTable::init(duckdb_init_info info) {
  callbacks->init_set_max_threads(info, 1);
}  // rows keep their order

void RowsTable::read(duckdb_function_info info, duckdb_data_chunk output) {
  static_cast<RowsTable*>(callbacks->function_get_extra_info(info))->hand_over(info, output);
}

void RowsTable::hand_over(duckdb_function_info info, duckdb_data_chunk output) {
  const std::lock_guard lock(mutex_);
  if (source_ == nullptr)
    return api_.function_set_error(info, "this function is Gaur's own and has no rows here");
  while (true) {
    auto chunk = source_->next();
    if (!chunk) {
      source_->failure = chunk.error();
      return api_.function_set_error(info, chunk.error().message.c_str());
    }
    idx_t size = *chunk ? api_.data_chunk_get_size(chunk->get()) : 0;
    if (*chunk && size == 0) continue;
    if (size > source_->rows_left) {
      source_->truncated = true;
      size = source_->rows_left;
    }
    for (idx_t i = 0; size > 0 && i < source_->names.size(); ++i) {
      api_.vector_reference_vector(api_.data_chunk_get_vector(output, i),
                                   api_.data_chunk_get_vector(chunk->get(), i));
    }
    api_.data_chunk_set_size(output, size);
    source_->rows += size;
    source_->rows_left -= size;
    return;
  }
}

}  // namespace gaur::duckdb
