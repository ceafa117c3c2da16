#include "duckdb/spec.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "duckdb/parameters.hpp"
#include "duckdb/spec_reader.hpp"
#include "duckdb/sql_error.hpp"

namespace gaur::duckdb {
namespace {

constexpr std::size_t kLeastResult = 64 << 10;
constexpr std::size_t kMostResult = 7 << 20;   // a frame has at most 8 MiB
constexpr std::size_t kAroundRows = 64 << 10;  // of a result, at least: the schema

/// In the order of Scalar.
constexpr std::array<std::string_view, 17> kScalarNames = {
    "boolean", "integer", "bigint",    "ubigint",     "hugeint", "uhugeint", "double",   "decimal", "varchar",
    "date",    "time",    "timestamp", "timestamptz", "uuid",    "blob",     "interval", "json"};

/// Settings that Gaur sets: limits, the sandbox, and those that the runner needs.
constexpr std::array<std::string_view, 29> kOwnSettings = {"access_mode",
                                                           "allow_community_extensions",
                                                           "allow_unsigned_extensions",
                                                           "allow_unredacted_secrets",
                                                           "allowed_configs",
                                                           "allowed_directories",
                                                           "allowed_paths",
                                                           "autoinstall_known_extensions",
                                                           "autoload_known_extensions",
                                                           "custom_extension_repository",
                                                           "enable_external_access",
                                                           "enable_profiling",
                                                           "enable_progress_bar",
                                                           "enable_progress_bar_print",
                                                           "errors_as_json",
                                                           "extension_directory",
                                                           "external_threads",
                                                           "home_directory",
                                                           "lock_configuration",
                                                           "log_query_path",
                                                           "max_memory",
                                                           "memory_limit",
                                                           "profiling_output",
                                                           "progress_bar_time",
                                                           "scheduler_process_partial",
                                                           "secret_directory",
                                                           "temp_directory",
                                                           "threads",
                                                           "timezone"};

void read_values(MemberReader& reader, std::string_view key, const Parameter& parameter,
                 std::vector<json::RawValue>& values) {
  const auto* member = reader.find(key);
  if (member == nullptr) return;
  if (!member->is_array() || member->as_array().empty())
    return reader.problem(key, "must be a list with at least one value");
  for (std::size_t i = 0; i < member->as_array().size(); ++i) {
    const auto value = json::RawValue::of(member->as_array()[i]);
    if (auto wrong = wrong_item(parameter, value)) {
      reader.problem(fmt::format("{}.{}", key, i), *wrong);
    } else {
      values.push_back(value);
    }
  }
}

bool is_ordered(Scalar scalar) {
  return scalar != Scalar::kVarchar && scalar != Scalar::kBoolean && scalar != Scalar::kUuid &&
         scalar != Scalar::kBlob && scalar != Scalar::kJson;
}

void read_bound(MemberReader& reader, std::string_view key, const Parameter& parameter,
                std::optional<json::RawValue>& bound) {
  const auto* member = reader.find(key);
  if (member == nullptr) return;
  if (!is_ordered(parameter.type.scalar)) {
    return reader.problem(
        key, "is for numbers, dates, times and intervals; a varchar has max_length, pattern and enum");
  }
  const auto value = json::RawValue::of(*member);
  if (auto wrong = wrong_item(parameter, value)) return reader.problem(key, *wrong);
  bound = value;
}

Parameter read_parameter(const json::Object& object, const std::string& path,
                         std::vector<Problem>& problems) {
  MemberReader reader(object, path, problems);
  Parameter parameter;
  std::string type = "varchar";
  reader.text("type", type);
  if (auto known = read_parameter_type(type)) {
    parameter.type = *known;
  } else {
    reader.problem(
        "type",
        fmt::format(
            "\"{}\" is not a parameter type; use decimal(p,s) or one of {}, or a list of one, as integer[]",
            type, fmt::join(kScalarNames, ", ")));
  }
  reader.boolean("required", parameter.required);
  reader.boolean("coerce", parameter.coerce);
  reader.size("max_length", parameter.max_length, 1 << 20);
  reader.size("max_items", parameter.max_items, 1'000'000);
  reader.text("pattern", parameter.pattern);
  if (!parameter.pattern.empty() && parameter.type.scalar != Scalar::kVarchar)
    reader.problem("pattern", "is for varchar only");
  std::vector<json::RawValue> allowed;
  read_values(reader, "enum", parameter, allowed);
  read_bound(reader, "min", parameter, parameter.min);
  read_bound(reader, "max", parameter, parameter.max);
  parameter.allowed = std::move(allowed);
  if (const auto* value = reader.find("default"); value != nullptr && !value->is_null()) {
    parameter.default_value = json::RawValue::of(*value);
    if (auto wrong = wrong_value(parameter, *parameter.default_value)) reader.problem("default", *wrong);
    if (parameter.required) reader.problem("default", "has no meaning for a required parameter");
  }
  reader.finish();
  return parameter;
}

void read_sql(MemberReader& reader, Function& function, std::vector<Problem>& problems) {
  std::string text;
  const auto* member = reader.find("sql");
  if (member == nullptr) return reader.problem("sql", "is missing");
  if (member->is_array()) {
    std::vector<std::string> lines;
    reader.texts("sql", lines);
    for (const auto& line : lines) text += line + "\n";
  } else {
    reader.text("sql", text);
  }
  if (text.empty()) return reader.problem("sql", "is empty");
  std::vector<TemplateProblem> wrong;
  function.sql = SqlTemplate::parse(text, wrong);
  for (const auto& each : wrong) {
    const auto at = line_column(text, each.position);
    problems.push_back({reader.path_of("sql"), each.message, at.line, at.column});
  }
  if (!wrong.empty()) return;
  for (const auto& condition : function.sql->conditions()) {
    const auto found = function.parameters.find(condition.name);
    if (found == function.parameters.end()) {
      reader.problem(
          "sql", fmt::format("/*if*/ asks for {}, which is no parameter of this function", condition.name));
    } else if (condition.value && found->second.type.list) {
      reader.problem(
          "sql", fmt::format("/*if {}={}*/: a list cannot be compared", condition.name, *condition.value));
    }
  }
  for (const auto& name : function.sql->identifiers()) {
    const auto found = function.parameters.find(name);
    if (found == function.parameters.end()) {
      reader.problem("sql",
                     fmt::format("/*ident*/ asks for {}, which is no parameter of this function", name));
    } else if (found->second.allowed.empty() || found->second.type.scalar != Scalar::kVarchar ||
               found->second.type.list) {
      problems.push_back(
          {reader.path_of("params." + name),
           "is used as an identifier: it must be a varchar with an enum of the names allowed"});
    }
  }
}

/// Functions whose SQL arrives with each job: from its data (ad hoc) or from a planner.
void read_ad_hoc_settings(MemberReader& reader, Function& function, const Spec& spec) {
  const std::string_view kind = function.plan ? "plan" : "ad_hoc";
  if (function.plan && function.ad_hoc) reader.problem("plan", "and ad_hoc exclude each other");
  if (!(function.plan ? spec.plans : spec.ad_hoc)) {
    reader.problem(kind,
                   fmt::format("needs {} = true of the pool as well", function.plan ? "plans" : "ad_hoc"));
  }
  const auto none = [&](const char* member, bool there) {
    if (!there) return;
    reader.problem(member, function.plan ? "has no place in a planned function: the planner brings it"
                                         : "has no place in an ad-hoc function: the job brings it");
  };
  none("sql", reader.find("sql") != nullptr);
  none("params", !function.parameters.empty());
}

Function read_function(const json::Object& object, const std::string& path, const Spec& spec,
                       std::vector<Problem>& problems) {
  MemberReader reader(object, path, problems);
  Function function;
  reader.boolean("ad_hoc", function.ad_hoc);
  reader.boolean("plan", function.plan);
  reader.boolean("plan_setup", function.plan_setup);
  if (function.plan_setup && !function.plan) reader.problem("plan_setup", "is for planned functions only");
  if (const auto* parameters = reader.object("params")) {
    for (const auto& member : *parameters) {
      const std::string name = member.key();
      const auto at = reader.path_of("params." + name);
      if (!member.value().is_object()) {
        problems.push_back({at, "must be an object, as {\"type\": \"varchar\"}"});
        continue;
      }
      function.parameters.emplace(name, read_parameter(member.value().as_object(), at, problems));
    }
  }
  if (function.ad_hoc || function.plan) {
    read_ad_hoc_settings(reader, function, spec);
  } else {
    read_sql(reader, function, problems);
  }
  reader.text("params_path", function.params_path);
  function.reject_extra = reader.word("extra", {"ignore", "reject"}, 0) == 1;
  function.shape = reader.word("result", {"objects", "arrays"}, 0) == 1 ? Shape::kArrays : Shape::kObjects;
  reader.boolean("envelope", function.envelope);
  function.bigint_number = reader.word("bigint", {"string", "number"}, 0) == 1;
  function.decimal_number = reader.word("decimal", {"string", "number"}, 0) == 1;
  function.nonfinite_text = reader.word("nonfinite", {"null", "string"}, 0) == 1;
  reader.size("max_result", function.max_result, kMostResult);
  if (function.max_result < kLeastResult)
    reader.problem("max_result", fmt::format("must be at least {}", kLeastResult));
  const std::size_t most_inline = function.max_result - std::min(function.max_result, kAroundRows);
  function.inline_bytes = std::min(function.inline_bytes, most_inline);
  reader.size("inline_bytes", function.inline_bytes, most_inline);
  reader.size("max_rows", function.max_rows, std::size_t{1} << 53);
  function.large_to_file = reader.word("on_large", {"error", "file"}, function.ad_hoc ? 1 : 0) == 1;
  function.format = static_cast<FileFormat>(reader.word("format", {"parquet", "csv", "ndjson"}, 0));
  reader.boolean("csv_bom", function.csv_bom);
  if (function.csv_bom && function.format != FileFormat::kCsv)
    reader.problem("csv_bom", "is for format = \"csv\" only");
  if (function.inline_bytes == 0 && !function.large_to_file)
    reader.problem("inline_bytes", "0 needs on_large = \"file\"");
  reader.finish();
  return function;
}

void read_settings(MemberReader& reader, Spec& spec) {
  const auto* settings = reader.object("settings");
  if (settings == nullptr) return;
  for (const auto& member : *settings) {
    std::string name = member.key();
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    const auto path = "settings." + std::string(member.key());
    if (std::find(kOwnSettings.begin(), kOwnSettings.end(), name) != kOwnSettings.end()) {
      reader.problem(path, "is ruled by Gaur and cannot be set here");
    } else if (!std::all_of(name.begin(), name.end(),
                            [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; })) {
      reader.problem(path, "is not the name of a setting");
    } else if (member.value().is_string()) {
      spec.settings[name] = std::string(member.value().as_string());
    } else if (member.value().is_bool() || member.value().is_number()) {
      spec.settings[name] = json::serialize(member.value());
    } else {
      reader.problem(path, "must be a text, a number, true or false");
    }
  }
}

}  // namespace

std::string_view to_string(FileFormat format) {
  switch (format) {
    case FileFormat::kParquet: return "parquet";
    case FileFormat::kCsv: return "csv";
    case FileFormat::kNdjson: return "ndjson";
  }
  return "";
}

std::string ParameterType::text() const {
  std::string text(kScalarNames[static_cast<std::size_t>(scalar)]);
  if (scalar == Scalar::kDecimal) text += fmt::format("({},{})", precision, scale);
  return list ? text + "[]" : text;
}

std::optional<ParameterType> read_parameter_type(std::string_view text) {
  ParameterType type;
  if (text.ends_with("[]")) {
    type.list = true;
    text.remove_suffix(2);
  }
  if (text.starts_with("decimal(") && text.ends_with(')')) {
    const char* end = text.data() + text.size() - 1;
    const auto first = std::from_chars(text.data() + 8, end, type.precision);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != ',') return std::nullopt;
    const char* scale = first.ptr + 1;
    while (scale != end && *scale == ' ') ++scale;
    const auto second = std::from_chars(scale, end, type.scale);
    if (second.ec != std::errc() || second.ptr != end) return std::nullopt;
    if (type.precision < 1 || type.precision > 38 || type.scale > type.precision) return std::nullopt;
    text = "decimal";
  }
  const auto* name = std::find(kScalarNames.begin(), kScalarNames.end(), text);
  if (name == kScalarNames.end()) return std::nullopt;
  type.scalar = static_cast<Scalar>(name - kScalarNames.begin());
  return type;
}

Spec read_spec(const json::Object& object, std::vector<Problem>& problems) {
  MemberReader reader(object, "", problems);
  Spec spec;
  std::string library, root, database, server_data;
  std::vector<std::string> data;
  reader.text("library", library);
  reader.text("root", root);
  reader.text("database", database);
  reader.text("server_data", server_data);
  reader.texts("data", data);
  reader.text("timezone", spec.timezone);
  reader.texts("extensions", spec.extensions);
  reader.texts("setup", spec.setup);
  read_settings(reader, spec);
  reader.boolean("ad_hoc", spec.ad_hoc);
  reader.boolean("plans", spec.plans);
  reader.size("max_spill", spec.max_spill, std::size_t{1} << 53);
  reader.texts("table_functions", spec.table_functions);
  spec.sandbox = static_cast<Spec::Sandbox>(reader.word("sandbox", {"prefer", "require", "off"}, 0));
  spec.library = library;
  spec.root = root;
  spec.database = database;
  spec.server_data = server_data;
  spec.data.assign(data.begin(), data.end());
  const auto* functions = reader.object("functions");
  if (functions == nullptr || functions->empty())
    reader.problem("functions", "must name at least one function");
  if (functions != nullptr) {
    for (const auto& member : *functions) {
      const auto path = "functions." + std::string(member.key());
      if (!member.value().is_object()) {
        problems.push_back({path, "must be an object"});
        continue;
      }
      spec.functions.emplace(member.key(), read_function(member.value().as_object(), path, spec, problems));
    }
  }
  reader.finish();
  return spec;
}

}  // namespace gaur::duckdb
