#pragma once
// The specification of one gaur-duckdb, read from JSON and checked as far as possible without DuckDB. The
// members are those of docs/reference/duckdb.md; change both together.
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/raw_value.hpp"
#include "duckdb/sql_template.hpp"

namespace gaur::duckdb {

/// One problem and its place: `path` as "functions.top.params.day.type". Thread-safety: a value.
struct Problem {
  std::string path;
  std::string message;
  /// Within the SQL, from 1; 0: not about a place in SQL.
  std::size_t line = 0;
  /// From 1, in characters.
  std::size_t column = 0;
};

enum class Scalar {
  kBoolean,
  kInteger,
  kBigint,
  kUbigint,
  kHugeint,
  kUhugeint,
  kDouble,
  kDecimal,
  kVarchar,
  kDate,
  kTime,
  kTimestamp,
  kTimestampTz,
  kUuid,
  kBlob,
  kInterval,
  kJson
};

struct ParameterType {
  Scalar scalar = Scalar::kVarchar;
  /// Decimal.
  std::uint8_t precision = 18;
  /// Decimal.
  std::uint8_t scale = 3;
  bool list = false;
  /// "decimal(18,3)[]".
  std::string text() const;
};
std::optional<ParameterType> read_parameter_type(std::string_view text);

struct Parameter {
  ParameterType type;
  bool required = false;
  bool coerce = false;
  /// The default; never null.
  std::optional<json::RawValue> default_value;
  std::optional<json::RawValue> min;
  std::optional<json::RawValue> max;
  /// `enum`; empty: any.
  std::vector<json::RawValue> allowed;
  /// RE2, whole text; empty: any.
  std::string pattern;
  /// Characters; blob, json: bytes.
  std::size_t max_length = 65536;
  std::size_t max_items = 10000;
};

enum class Shape { kObjects, kArrays };
enum class FileFormat { kParquet, kCsv, kNdjson };
std::string_view to_string(FileFormat format);

struct Function {
  /// Empty for ad-hoc functions.
  std::optional<SqlTemplate> sql;
  std::map<std::string, Parameter, std::less<>> parameters;
  std::string params_path;
  bool reject_extra = false;
  Shape shape = Shape::kObjects;
  bool envelope = true;
  bool bigint_number = false;
  bool decimal_number = false;
  bool nonfinite_text = false;
  /// Bytes of the result with its schema.
  std::size_t max_result = 1 << 20;
  std::size_t inline_bytes = 256 << 10;
  std::size_t max_rows = 0;
  bool large_to_file = false;
  FileFormat format = FileFormat::kParquet;
  bool csv_bom = false;
  bool ad_hoc = false;
  /// The SQL comes from a planner, not from the job.
  bool plan = false;
  /// A plan may contain statements that run first.
  bool plan_setup = false;
};

struct Spec {
  std::filesystem::path library;
  std::filesystem::path root;
  /// Empty: in memory. Symbolic links are resolved, as in data.
  std::filesystem::path database;
  std::vector<std::filesystem::path> data;
  /// As configured, absolute; may be a link that changes later.
  std::filesystem::path database_link;
  std::vector<std::filesystem::path> data_links;
  /// this runner's out and tmp.
  std::vector<std::filesystem::path> own_folders;
  std::filesystem::path server_data;
  std::string timezone = "UTC";
  std::vector<std::string> extensions;
  std::vector<std::string> setup;
  std::map<std::string, std::string> settings;
  bool ad_hoc = false;
  bool plans = false;
  /// Bytes on disk of one instance; 0: as DuckDB decides.
  std::size_t max_spill = 0;
  /// Additional ones that SQL of callers and planners may call.
  std::vector<std::string> table_functions;
  enum class Sandbox { kPrefer, kRequire, kOff } sandbox = Sandbox::kPrefer;
  std::map<std::string, Function, std::less<>> functions;
};

/// Reads a spec. Adds all problems that can be found without DuckDB and the file system; unknown members are
/// problems. Use the spec only if there is none.
Spec read_spec(const json::Object& object, std::vector<Problem>& problems);

/// Checks the rules that need the file system: folders exist, none contains the server's data. Makes paths
/// absolute. `runner_folders`: this runner's own out and tmp, which no data folder may contain.
void check_paths(Spec& spec, const std::vector<std::filesystem::path>& runner_folders,
                 std::vector<Problem>& problems);

/// The same for the current targets of the configured paths.
void resolve_paths(Spec& spec, std::vector<Problem>& problems);

/// Absolute, with symbolic links resolved as far as the path exists.
std::filesystem::path real_path(const std::filesystem::path& path);

}  // namespace gaur::duckdb
