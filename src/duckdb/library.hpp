#pragma once
// libduckdb, loaded at run time: the table of the functions that this module uses. No program links the
// library, so gaur-duckdb itself reports a missing or wrong version. The list below is complete; every
// function in it exists in 1.5 and 2.x.
#include <duckdb.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "gaur/result.hpp"

// Each name without its duckdb_ prefix.
// clang-format off
#define GAUR_DUCKDB_FUNCTIONS(X) \
  X(library_version) X(open_ext) X(close) X(connect) X(disconnect) X(interrupt) X(query_progress)           \
  X(create_config) X(set_config) X(destroy_config) X(free) X(malloc) X(query) X(destroy_result)             \
  X(result_error) X(result_error_type) X(column_count) X(column_name) X(column_logical_type)                \
  X(fetch_chunk) X(extract_statements) X(extract_statements_error) X(prepare_extracted_statement)           \
  X(destroy_extracted) X(destroy_prepare) X(prepare_error) X(nparams) X(parameter_name)                     \
  X(prepared_statement_type) X(prepared_statement_column_count) X(prepared_statement_column_name)           \
  X(prepared_statement_column_logical_type) X(bind_value) X(bind_parameter_index) X(pending_prepared)       \
  X(destroy_pending) X(pending_error) X(execute_pending) X(create_bool) X(create_int32) X(create_int64)     \
  X(create_double) X(create_varchar_length) X(create_date) X(create_timestamp) X(create_timestamp_tz)       \
  X(create_decimal) X(create_list_value) X(create_null_value) X(destroy_value) X(get_varchar)               \
  X(get_map_size) X(get_map_key) X(get_map_value) X(create_logical_type) X(create_decimal_type)             \
  X(create_list_type) X(destroy_logical_type) X(get_type_id) X(logical_type_get_alias) X(decimal_width)     \
  X(decimal_scale) X(decimal_internal_type) X(enum_internal_type) X(enum_dictionary_size)                   \
  X(enum_dictionary_value) X(list_type_child_type) X(array_type_child_type) X(array_type_array_size)        \
  X(map_type_key_type) X(map_type_value_type) X(struct_type_child_count) X(struct_type_child_name)          \
  X(struct_type_child_type) X(union_type_member_count) X(union_type_member_name) X(union_type_member_type)  \
  X(destroy_data_chunk) X(data_chunk_get_column_count) X(data_chunk_get_vector) X(data_chunk_get_size)      \
  X(data_chunk_set_size) X(vector_get_data) X(vector_get_validity) X(list_vector_get_child)                 \
  X(struct_vector_get_child) X(array_vector_get_child) X(vector_reference_vector) X(create_table_function)  \
  X(destroy_table_function) X(table_function_set_name) X(table_function_set_extra_info)                     \
  X(table_function_set_bind) X(table_function_set_init) X(table_function_set_function)                      \
  X(register_table_function) X(bind_get_extra_info) X(bind_add_result_column) X(bind_set_error)             \
  X(init_set_max_threads) X(function_get_extra_info) X(function_set_error) X(get_profiling_info)            \
  X(profiling_info_get_metrics) X(create_uint64) X(create_hugeint) X(create_uhugeint)                     \
  X(create_time) X(create_uuid) X(create_blob) X(create_interval) X(get_list_child) X(logical_type_set_alias)
// clang-format on

namespace gaur::duckdb {

/// The functions, under DuckDB's names without the prefix. Thread-safety: immutable after load.
struct Api {
#define GAUR_DUCKDB_MEMBER(name) decltype(&::duckdb_##name) name = nullptr;
  GAUR_DUCKDB_FUNCTIONS(GAUR_DUCKDB_MEMBER)
#undef GAUR_DUCKDB_MEMBER
  /// Streams rows while the query runs. May be null in newer versions; results are then buffered.
  decltype(&::duckdb_pending_prepared) pending_prepared_streaming = nullptr;

  /// "v1.5.6".
  std::string version;
  /// Path, or a name that the dynamic loader found.
  std::filesystem::path path;
};

/// Loads libduckdb. `given` (from the spec) is tried alone when it is not empty, else GAUR_DUCKDB_LIBRARY
/// alone when that is set, else the usual places. The library stays loaded to the end of the process. Errors:
/// kNotFound, with all places that were tried; kUnsupported, older than 1.5 or without a required function.
Result<std::unique_ptr<const Api>> load_library(const std::filesystem::path& given);

/// The paths to try, in order. The last ones are names for the dynamic loader.
std::vector<std::filesystem::path> library_places(const std::filesystem::path& given);

}  // namespace gaur::duckdb
