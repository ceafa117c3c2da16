#pragma once
// Describes rejected SQL for the message. Thread-safety: confined to the connection's thread.
#include <cstddef>
#include <string>

#include "duckdb/library.hpp"

namespace gaur::duckdb {

/// "the SQL holds 2 statements, ...".
std::string too_many_statements(std::size_t count);
/// Why SQL that DuckDB parses but that is not one SELECT or EXPLAIN is rejected: "the SQL holds 2 statements,
/// ..." or "..., this is INSERT"; of "WITH t AS (...) INSERT" what follows the WITH. Parses and runs nothing.
std::string not_one_query(const Api& api, duckdb_connection connection, const std::string& sql);

}  // namespace gaur::duckdb
