#include "duckdb/sql_policy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "duckdb/query_rows.hpp"
#include "duckdb/sql_error.hpp"
#include "duckdb/sql_lexer.hpp"
#include "duckdb/sql_template.hpp"
#include "duckdb/statement_kind.hpp"

namespace gaur::duckdb {
namespace {

/// Table functions that only read. Not listed: those that change something (checkpoint, enable_*,
/// disable_*, truncate_duckdb_logs), that run SQL from a string (query, json_execute_serialized_sql), that
/// take addresses (arrow_scan), or that read files or secrets without a check (sql_auto_complete).
/// Sorted.
constexpr std::array<std::string_view, 69> kReading{"duckdb_approx_database_count",
                                                    "duckdb_columns",
                                                    "duckdb_connection_count",
                                                    "duckdb_constraints",
                                                    "duckdb_coordinate_systems",
                                                    "duckdb_databases",
                                                    "duckdb_dependencies",
                                                    "duckdb_extensions",
                                                    "duckdb_external_file_cache",
                                                    "duckdb_functions",
                                                    "duckdb_indexes",
                                                    "duckdb_keywords",
                                                    "duckdb_memory",
                                                    "duckdb_optimizers",
                                                    "duckdb_prepared_statements",
                                                    "duckdb_schemas",
                                                    "duckdb_secret_types",
                                                    "duckdb_sequences",
                                                    "duckdb_settings",
                                                    "duckdb_table_sample",
                                                    "duckdb_tables",
                                                    "duckdb_temporary_files",
                                                    "duckdb_types",
                                                    "duckdb_variables",
                                                    "duckdb_views",
                                                    "generate_series",
                                                    "glob",
                                                    "icu_calendar_names",
                                                    "json_each",
                                                    "json_tree",
                                                    "parquet_bloom_probe",
                                                    "parquet_file_metadata",
                                                    "parquet_full_metadata",
                                                    "parquet_kv_metadata",
                                                    "parquet_metadata",
                                                    "parquet_scan",
                                                    "parquet_schema",
                                                    "pg_timezone_names",
                                                    "pragma_collations",
                                                    "pragma_database_size",
                                                    "pragma_metadata_info",
                                                    "pragma_platform",
                                                    "pragma_show",
                                                    "pragma_storage_info",
                                                    "pragma_table_info",
                                                    "pragma_user_agent",
                                                    "pragma_version",
                                                    "query_table",
                                                    "range",
                                                    "read_blob",
                                                    "read_csv",
                                                    "read_csv_auto",
                                                    "read_duckdb",
                                                    "read_json",
                                                    "read_json_auto",
                                                    "read_json_objects",
                                                    "read_json_objects_auto",
                                                    "read_ndjson",
                                                    "read_ndjson_auto",
                                                    "read_ndjson_objects",
                                                    "read_parquet",
                                                    "read_text",
                                                    "repeat",
                                                    "repeat_row",
                                                    "sniff_csv",
                                                    "summary",
                                                    "test_all_types",
                                                    "test_vector_types",
                                                    "unnest"};

/// Scalar functions with an effect beyond their value.
constexpr std::array<std::string_view, 2> kActingScalars{"json_serialize_plan", "write_log"};

constexpr std::array<std::string_view, 15> kSetupWords{"ALTER",  "CREATE", "DELETE",    "DROP",     "FROM",
                                                       "INSERT", "MERGE",  "SELECT",    "TRUNCATE", "UPDATE",
                                                       "VALUES", "WITH",   "SUMMARIZE", "DESCRIBE", "SHOW"};
constexpr std::array<std::string_view, 9> kCreated{"FUNCTION", "INDEX", "MACRO",  "SCHEMA", "SEQUENCE",
                                                   "TABLE",    "TYPE",  "UNIQUE", "VIEW"};
constexpr std::array<std::string_view, 6> kCreateModifiers{"LOCAL", "OR",        "RECURSIVE",
                                                           "TEMP",  "TEMPORARY", "REPLACE"};

template <std::size_t N>
bool among(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string lower(std::string_view text) {
  std::string lowered(text);
  std::transform(lowered.begin(), lowered.end(), lowered.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lowered;
}

RunFailure not_allowed(std::string message) {
  return {"permission", std::move(message), true, {}};
}

RunFailure function_not_allowed(const std::string& name) {
  return not_allowed(fmt::format(
      "the function {} cannot be called by SQL of callers and planners: only functions that are known "
      "to only read can. If it only reads, add it to duckdb.table_functions of the pool",
      name));
}

/// The beginning of the explained query, 0 if `sql` is not an EXPLAIN. Comments before it are replaced by
/// blanks, so that the text that runs is the text that was checked.
std::size_t blank_before_explained(std::string& sql) {
  std::string blanked = sql;
  std::size_t at = 0;
  const auto blank = [&] {
    const auto end = skip_blank(sql, at);
    std::fill(blanked.begin() + static_cast<std::ptrdiff_t>(at),
              blanked.begin() + static_cast<std::ptrdiff_t>(end), ' ');
    at = end;
  };
  const auto take = [&](std::string_view word) {
    if (lower(std::string_view(sql).substr(at, word.size())) != word) return false;
    if (skip_word(sql, at) != at + word.size()) return false;
    at += word.size();
    blank();
    return true;
  };
  blank();
  if (!take("explain")) return 0;
  if (!take("analyze")) take("analyse");
  take("verbose");
  if (at < sql.size() && sql[at] == '(') {
    // options are plain words; a query in parentheses begins with another one
    const auto close = std::find_if(
        sql.begin() + static_cast<std::ptrdiff_t>(at) + 1, sql.end(),
        [](unsigned char c) { return std::isalpha(c) == 0 && std::isspace(c) == 0 && c != ',' && c != '_'; });
    const auto first = leading_word(std::string_view(sql).substr(at + 1));
    if (close != sql.end() && *close == ')' &&
        (first == "FORMAT" || first == "ANALYZE" || first == "ANALYSE")) {
      at = static_cast<std::size_t>(close - sql.begin()) + 1;
      blank();
    }
  }
  sql = std::move(blanked);
  return at;
}

/// The error of DuckDB's parser for the text from `from`.
RunFailure parse_failure(const json::Array& row, const std::string& sql, std::size_t from) {
  SqlError error;
  error.kind = row[1].is_string() && row[1].as_string() == "parser" ? "Parser" : "Not implemented";
  error.message = row[2].is_string() ? std::string(row[2].as_string()) : "the SQL cannot be read";
  if (row[3].is_string())
    error.position =
        from + position_in_text(std::string_view(sql).substr(from),
                                std::strtoull(std::string(row[3].as_string()).c_str(), nullptr, 10));
  return to_failure(error, sql, error.position);
}

std::vector<std::string> texts(const json::Value& value) {
  std::vector<std::string> found;
  if (const auto* list = value.if_array()) {
    for (const auto& each : *list) found.emplace_back(each.as_string());
  }
  return found;
}

/// An identifier or key word of a statement.
struct Word {
  std::string text;     // lower case, quotes removed
  bool called = false;  // a parenthesis follows
};

std::string unquoted(std::string_view quoted) {
  std::string name;
  for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
    name += quoted[i];
    if (quoted[i] == '"') ++i;  // it is doubled
  }
  return name;
}

std::vector<Word> words_of(std::string_view sql) {
  std::vector<Word> words;
  for (std::size_t at = skip_blank(sql, 0); at < sql.size(); at = skip_blank(sql, at)) {
    const std::size_t begin = at;
    at = skip_quoted(sql, begin);
    if (at > begin && sql[begin] == '"') {
      words.push_back({lower(unquoted(sql.substr(begin, at - begin)))});
    } else if (at == begin && is_word(sql[at])) {
      at = skip_word(sql, at);
      words.push_back({lower(sql.substr(begin, at - begin))});
    } else if (at == begin) {
      if (sql[at] == '(' && !words.empty()) words.back().called = true;
      ++at;
    }
  }
  return words;
}

bool is_about_objects(std::string_view first) {
  return first == "CREATE" || first == "DROP" || first == "ALTER";
}

/// CREATE [OR REPLACE] [TEMP] TABLE and the like; nothing that has effects outside the instance, as CREATE
/// SECRET has.
bool names_object(const std::vector<Word>& words) {
  for (std::size_t i = 1; i < words.size(); ++i) {
    std::string word = words[i].text;
    std::transform(word.begin(), word.end(), word.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    if (among(kCreateModifiers, word)) continue;
    return among(kCreated, word);
  }
  return false;
}

}  // namespace

Run<std::string> SqlPolicy::check_query(duckdb_connection connection, std::string sql) {
  if (sql.find('\0') != std::string::npos) return fail({"syntax", "the SQL contains a NUL byte", true, {}});
  const std::string given = sql;
  const auto from = blank_before_explained(sql);
  auto rows = query_rows(
      api_, connection,
      fmt::format("SELECT t->>'$.error', t->>'$.error_type', t->>'$.error_message', t->>'$.position', "
                  "list_distinct(list_transform(t->>'$..function.function_name', lambda x: lower(x))), "
                  "list_distinct(list_transform(t->>'$..function_name', lambda x: lower(x))) "
                  "FROM (SELECT system.main.json_serialize_sql({}, skip_null := true, skip_empty := true, "
                  "skip_default := true) AS t)",
                  quote_literal(std::string_view(sql).substr(from))));
  if (!rows) return fail(std::move(rows).error());
  const auto& row = rows->at(0).as_array();
  if (row[0] == "true") {
    // of what the parser knows only SELECT has a tree
    if (row[1] == "not implemented" && row[2].is_string() && row[2].as_string().starts_with("Only SELECT"))
      return fail(not_allowed(not_one_query(api_, connection, given)));
    return fail(parse_failure(row, given, from));
  }
  for (const auto& name : texts(row[4])) {  // of functions in FROM
    if (auto done = check_name(connection, name); !done) return fail(std::move(done).error());
  }
  for (const auto& name : texts(row[5])) {  // of all functions
    if (among(kActingScalars, name)) return fail(function_not_allowed(name));
  }
  return sql;
}

Run<Unit> SqlPolicy::check_name(duckdb_connection connection, const std::string& name) {
  if (among(kReading, name)) return Unit{};
  if (among(kActingScalars, name)) return fail(function_not_allowed(name));
  if (!rejected_) {
    // from the system's catalog, which no macro of a planner's can hide
    auto rows = query_rows(api_, connection,
                           "SELECT DISTINCT lower(function_name) FROM system.main.duckdb_functions() WHERE "
                           "function_type = 'table'");
    if (!rows) return fail(std::move(rows).error());
    auto& rejected = rejected_.emplace();
    for (const auto& row : *rows) {
      std::string found(row.as_array().at(0).as_string());
      if (!among(kReading, found)) rejected.insert(std::move(found));
    }
    for (const auto& allowed : spec_.table_functions) rejected.erase(lower(allowed));
  }
  if (rejected_->contains(name)) return fail(function_not_allowed(name));
  return Unit{};
}

Run<Unit> SqlPolicy::check_setup(duckdb_connection connection, const std::string& sql) {
  if (sql.find('\0') != std::string::npos) return fail({"syntax", "the SQL contains a NUL byte", true, {}});
  const auto words = words_of(sql);
  const auto first = leading_word(sql);
  Owned<duckdb_extracted_statements> extracted(api_.destroy_extracted);
  if (api_.extract_statements(connection, sql.c_str(), extracted.out()) > 1)
    return fail(not_allowed("each entry of a plan's setup must be one statement"));
  const bool variable =
      (first == "SET" || first == "RESET") && words.size() > 1 && words[1].text == "variable";
  if (!variable && (!among(kSetupWords, first) || (is_about_objects(first) && !names_object(words)) ||
                    (first == "UPDATE" && words.size() > 1 && words[1].text == "extensions"))) {
    return fail(not_allowed(fmt::format(
        "a plan's setup may create, fill and drop tables, views, macros, types and sequences, and set "
        "variables; this is {}",
        first.empty() ? "nothing" : first)));
  }
  for (const auto& word : words) {
    if (!word.called) continue;
    if (auto done = check_name(connection, word.text); !done) return done;
  }
  return Unit{};
}

}  // namespace gaur::duckdb
