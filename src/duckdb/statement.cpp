#include "duckdb/statement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "duckdb/encoder.hpp"
#include "duckdb/query_rows.hpp"
#include "duckdb/sql_error.hpp"
#include "duckdb/sql_lexer.hpp"
#include "duckdb/sql_template.hpp"
#include "duckdb/statement_kind.hpp"

namespace gaur::duckdb {
namespace {

std::string_view type_name(duckdb_statement_type type) {
  switch (type) {
    case DUCKDB_STATEMENT_TYPE_INSERT: return "INSERT";
    case DUCKDB_STATEMENT_TYPE_UPDATE: return "UPDATE";
    case DUCKDB_STATEMENT_TYPE_DELETE: return "DELETE";
    case DUCKDB_STATEMENT_TYPE_CREATE: return "CREATE";
    case DUCKDB_STATEMENT_TYPE_COPY: return "COPY";
    case DUCKDB_STATEMENT_TYPE_SET: return "SET";
    case DUCKDB_STATEMENT_TYPE_VARIABLE_SET: return "SET VARIABLE";
    case DUCKDB_STATEMENT_TYPE_ATTACH: return "ATTACH";
    case DUCKDB_STATEMENT_TYPE_DETACH: return "DETACH";
    case DUCKDB_STATEMENT_TYPE_PRAGMA: return "PRAGMA";
    case DUCKDB_STATEMENT_TYPE_CALL: return "CALL";
    case DUCKDB_STATEMENT_TYPE_LOAD: return "LOAD";
    case DUCKDB_STATEMENT_TYPE_DROP: return "DROP";
    case DUCKDB_STATEMENT_TYPE_EXPORT: return "EXPORT";
    default: return "statement of another kind";
  }
}

RunFailure not_allowed(const std::string& message) {
  return {"permission", message, true, {}};
}

/// Words with which a query can begin. The prepared statement's type is checked again.
bool is_query_word(std::string_view word) {
  static constexpr std::string_view kWords[] = {"(",      "SELECT",    "WITH",     "FROM",
                                                "VALUES", "TABLE",     "DESCRIBE", "DESC",
                                                "SHOW",   "SUMMARIZE", "PIVOT",    "UNPIVOT"};
  return std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords);
}

/// Not where the type is unknown until values are bound.
bool is_foreign(const Api& api, duckdb_logical_type type) {
  return has_foreign_type(api, type) && api.get_type_id(type) != DUCKDB_TYPE_INVALID;
}

}  // namespace

Statement::Statement(const Api& api, RenderedSql sql, std::string user_sql)
    : api_(&api),
      sql_(std::move(sql)),
      user_sql_(std::move(user_sql)),
      prepared_(api.destroy_prepare),
      result_(api) {}

RunFailure Statement::failure(std::string_view text) const {
  const auto error = read_sql_error(text);
  std::optional<std::size_t> position;
  if (error.position) position = sql_.origin_of(position_in_text(sql_.text, *error.position));
  return to_failure(error, user_sql_, position);
}

Run<Statement> Statement::prepare(const Api& api, duckdb_connection connection, RenderedSql sql,
                                  std::string user_sql) {
  Statement statement(api, std::move(sql), std::move(user_sql));
  if (auto done = statement.prepare_one(connection, statement.sql_.text); !done)
    return fail(std::move(done).error());
  return statement;
}

/// The error of DuckDB's parser for invalid SQL. json_serialize_sql() only parses.
std::optional<RunFailure> Statement::syntax_failure(duckdb_connection connection,
                                                    const std::string& sql) const {
  const auto rows =
      query_rows(*api_, connection,
                 fmt::format("SELECT t->>'$.error_message', t->>'$.position' FROM (SELECT "
                             "system.main.json_serialize_sql({}) AS t) WHERE t->>'$.error_type' = 'parser'",
                             quote_literal(sql)));
  if (!rows || rows->empty()) return std::nullopt;
  const auto& row = rows->at(0).as_array();
  SqlError error;
  error.kind = "Parser";
  error.message = row[0].is_string() ? std::string(row[0].as_string()) : "the SQL cannot be read";
  std::optional<std::size_t> position;
  if (row[1].is_string())
    position = sql_.origin_of(
        position_in_text(sql, std::strtoull(std::string(row[1].as_string()).c_str(), nullptr, 10)));
  return to_failure(error, user_sql_, position);
}

Run<Unit> Statement::prepare_one(duckdb_connection connection, const std::string& sql) {
  if (sql.find('\0') != std::string::npos) return fail({"syntax", "the SQL contains a NUL byte", true, {}});
  if (const auto word = leading_word(sql); !is_query_word(word)) {
    // before DuckDB prepares it: preparing has effects (EXPORT DATABASE creates its folder)
    if (auto misspelled = syntax_failure(connection, sql)) return fail(*std::move(misspelled));
    return fail(not_allowed(not_one_query(*api_, connection, sql)));
  }
  Owned<duckdb_extracted_statements> extracted(api_->destroy_extracted);
  const idx_t count = api_->extract_statements(connection, sql.c_str(), extracted.out());
  if (count == 0) {
    const char* text = api_->extract_statements_error(extracted.get());
    return fail(failure(text == nullptr ? "Parser Error: the SQL holds no statement" : text));
  }
  if (count > 1) return fail(not_allowed(too_many_statements(count)));
  Prepared prepared(api_->destroy_prepare);
  if (api_->prepare_extracted_statement(connection, extracted.get(), 0, prepared.out()) != DuckDBSuccess) {
    const char* text = prepared ? api_->prepare_error(prepared.get()) : nullptr;
    return fail(failure(text == nullptr ? "the statement cannot be prepared" : text));
  }
  const auto type = api_->prepared_statement_type(prepared.get());
  if (type != DUCKDB_STATEMENT_TYPE_SELECT && type != DUCKDB_STATEMENT_TYPE_EXPLAIN) {
    return fail(
        not_allowed(fmt::format("only SELECT and EXPLAIN can be run here, this is {}", type_name(type))));
  }
  prepared_ = std::move(prepared);
  return Unit{};
}

std::vector<std::string> Statement::parameter_names() const {
  std::vector<std::string> names;
  for (idx_t i = 1; i <= api_->nparams(prepared_.get()); ++i) {
    names.push_back(take_text(*api_, const_cast<char*>(api_->parameter_name(prepared_.get(), i))));
  }
  return names;
}

std::vector<std::pair<std::string, std::string>> Statement::columns() const {
  std::vector<std::pair<std::string, std::string>> columns;
  for (idx_t i = 0; i < api_->prepared_statement_column_count(prepared_.get()); ++i) {
    const LogicalType type(api_->destroy_logical_type,
                           api_->prepared_statement_column_logical_type(prepared_.get(), i));
    columns.emplace_back(
        take_text(*api_, const_cast<char*>(api_->prepared_statement_column_name(prepared_.get(), i))),
        !type                           ? ""
        : is_foreign(*api_, type.get()) ? "VARCHAR"
                                        : type_text(*api_, type.get()));
  }
  return columns;
}

Run<Unit> Statement::bind(const std::string& name, const Value& value) {
  idx_t index = 0;
  if (api_->bind_parameter_index(prepared_.get(), &index, name.c_str()) != DuckDBSuccess)
    return Unit{};  // not in this variant
  if (api_->bind_value(prepared_.get(), index, value.get()) == DuckDBSuccess) return Unit{};
  const char* text = api_->prepare_error(prepared_.get());
  return fail({"parameter",
               fmt::format("parameter {}: {}", name, text == nullptr ? "cannot be bound" : text),
               true,
               {{"parameter", name}}});
}

Run<Unit> Statement::plan(duckdb_connection connection) const {
  Owned<duckdb_pending_result> pending(api_->destroy_pending);
  if (api_->pending_prepared(prepared_.get(), pending.out()) == DuckDBSuccess) {
    api_->interrupt(connection);  // otherwise its destruction runs the remaining tasks
    return Unit{};
  }
  const char* text = pending ? api_->pending_error(pending.get()) : nullptr;
  return fail(failure(text == nullptr ? "the query cannot be planned" : text));
}

Run<Unit> Statement::start() {
  Owned<duckdb_pending_result> pending(api_->destroy_pending);
  const auto make =
      api_->pending_prepared_streaming != nullptr ? api_->pending_prepared_streaming : api_->pending_prepared;
  if (make(prepared_.get(), pending.out()) != DuckDBSuccess) {
    const char* text = pending ? api_->pending_error(pending.get()) : nullptr;
    return fail(failure(text == nullptr ? "the query cannot be started" : text));
  }
  if (api_->execute_pending(pending.get(), result_.get()) != DuckDBSuccess) {
    const char* text = api_->result_error(result_.get());
    return fail(failure(text == nullptr ? "the query failed" : text));
  }
  return Unit{};
}

Run<Chunk> Statement::next(RunControl& control) {
  if (ended_) return Chunk(api_->destroy_data_chunk);
  Chunk chunk(api_->destroy_data_chunk, api_->fetch_chunk(*result_.get()));
  if (auto ended = control.interrupted()) return fail(*std::move(ended));
  if (chunk) return chunk;
  const char* text = api_->result_error(result_.get());
  if (text != nullptr && *text != '\0') return fail(failure(text));
  ended_ = true;
  return chunk;
}

std::vector<std::string> Statement::result_names() {
  std::vector<std::string> names;
  for (idx_t i = 0; i < api_->column_count(result_.get()); ++i)
    names.emplace_back(api_->column_name(result_.get(), i));
  return names;
}

std::vector<LogicalType> Statement::result_types() {
  std::vector<LogicalType> types;
  for (idx_t i = 0; i < api_->column_count(result_.get()); ++i) {
    types.emplace_back(api_->destroy_logical_type, api_->column_logical_type(result_.get(), i));
  }
  return types;
}

}  // namespace gaur::duckdb
