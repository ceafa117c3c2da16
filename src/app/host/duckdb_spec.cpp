#include "app/host/duckdb_spec.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace gaur::app {
namespace {

/// Keys that the spec has with the same name and meaning. Only set keys are copied: the runner has its own
/// defaults.
constexpr std::array kPoolKeys{"library",    "database",        "timezone", "data",
                               "extensions", "setup",           "settings", "ad_hoc",
                               "plans",      "table_functions", "sandbox"};
constexpr std::array kFunctionKeys{"sql",    "params",  "params_path", "extra",        "result",   "envelope",
                                   "bigint", "decimal", "nonfinite",   "inline_bytes", "max_rows", "on_large",
                                   "format", "csv_bom", "ad_hoc",      "plan_setup"};

json::Object function_spec(const Settings& settings, const Config& config, const std::string& name) {
  json::Object spec;
  for (const char* key : kFunctionKeys) {
    const KeyPath path{"functions", name, key};
    if (settings.is_set(path)) spec[key] = settings.value(path);
  }
  // The runner writes a file for "url" as well; the host turns it into a link.
  const std::string on_large = settings.text({"functions", name, "on_large"});
  if (on_large == "url") spec["on_large"] = "file";
  if (on_large == "auto") spec.erase("on_large");  // the runner's default is the same
  spec["max_result"] = config.functions.at(name).max_result;
  if (!settings.text({"functions", name, "plan_pool"}).empty()) spec["plan"] = true;
  const bool from_file = !settings.text({"functions", name, "sql_file"}).empty();
  if (const auto& sql = config.functions.at(name).file_sql; from_file && sql) spec["sql"] = *sql;
  return spec;
}

}  // namespace

std::string compose_duckdb_spec(const Settings& settings, const Config& config, const std::string& pool) {
  json::Object spec;
  for (const char* key : kPoolKeys) {
    const KeyPath path{"pools", pool, "duckdb", key};
    if (settings.is_set(path)) spec[key] = settings.value(path);
  }
  spec["root"] = config.pools.at(pool).folder.string();
  if (config.spill_bytes > 0)
    spec["max_spill"] = config.spill_bytes / std::max<std::uint64_t>(1, config.slots.slots);
  spec["server_data"] = config.data_folder.string();
  json::Object functions;
  for (const auto& [name, function] : config.functions) {
    if (function.pool == pool) functions[name] = function_spec(settings, config, name);
  }
  spec["functions"] = std::move(functions);
  return json::serialize(spec);
}

Problem problem_of_duckdb(const Settings& settings, const std::string& pool, std::string_view line) {
  KeyPath pool_key{"pools", pool};
  const auto parsed = json::parse_object(line);
  if (!parsed) return {settings.origin(pool_key), to_string(pool_key), std::string(line)};
  KeyPath path = parse_path(json::text_or(*parsed, "path", ""));
  if (path.empty() || path.front() != "functions") {
    pool_key.emplace_back("duckdb");
    if (!path.empty() && !path.front().empty()) pool_key.insert(pool_key.end(), path.begin(), path.end());
    path = pool_key;
  } else if (path.size() > 2 && path[2] == "sql" &&
             !settings.text({"functions", path[1], "sql_file"}).empty()) {
    path[2] = "sql_file";
  } else if (path.size() > 2 && path[2] == "plan") {
    path[2] = "plan_pool";
  }
  std::string message = json::text_or(*parsed, "message", line);
  const auto row = json::integer(*parsed, "line");
  const auto column = json::integer(*parsed, "column");
  if (row && column) message += fmt::format(" (line {}, column {} of the SQL)", *row, *column);
  return {settings.origin(path), to_string(path), message};
}

std::filesystem::path gaur_duckdb_program() {
  std::array<char, 4096> own{};
  const ssize_t length = readlink("/proc/self/exe", own.data(), own.size());
  if (length <= 0) return "gaur-duckdb";
  const std::filesystem::path program(std::string(own.data(), static_cast<std::size_t>(length)));
  return program.parent_path() / "gaur-duckdb";
}

}  // namespace gaur::app
