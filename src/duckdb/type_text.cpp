#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "duckdb/encoder.hpp"
#include "duckdb/result_file.hpp"
#include "duckdb/sql_template.hpp"

namespace gaur::duckdb {
namespace {

const std::map<int, std::string_view>& plain_names() {
  static const std::map<int, std::string_view> kNames = {
      {DUCKDB_TYPE_BOOLEAN, "BOOLEAN"},
      {DUCKDB_TYPE_TINYINT, "TINYINT"},
      {DUCKDB_TYPE_SMALLINT, "SMALLINT"},
      {DUCKDB_TYPE_INTEGER, "INTEGER"},
      {DUCKDB_TYPE_BIGINT, "BIGINT"},
      {DUCKDB_TYPE_UTINYINT, "UTINYINT"},
      {DUCKDB_TYPE_USMALLINT, "USMALLINT"},
      {DUCKDB_TYPE_UINTEGER, "UINTEGER"},
      {DUCKDB_TYPE_UBIGINT, "UBIGINT"},
      {DUCKDB_TYPE_FLOAT, "FLOAT"},
      {DUCKDB_TYPE_DOUBLE, "DOUBLE"},
      {DUCKDB_TYPE_TIMESTAMP, "TIMESTAMP"},
      {DUCKDB_TYPE_DATE, "DATE"},
      {DUCKDB_TYPE_TIME, "TIME"},
      {DUCKDB_TYPE_INTERVAL, "INTERVAL"},
      {DUCKDB_TYPE_HUGEINT, "HUGEINT"},
      {DUCKDB_TYPE_UHUGEINT, "UHUGEINT"},
      {DUCKDB_TYPE_VARCHAR, "VARCHAR"},
      {DUCKDB_TYPE_BLOB, "BLOB"},
      {DUCKDB_TYPE_TIMESTAMP_S, "TIMESTAMP_S"},
      {DUCKDB_TYPE_TIMESTAMP_MS, "TIMESTAMP_MS"},
      {DUCKDB_TYPE_TIMESTAMP_NS, "TIMESTAMP_NS"},
      {DUCKDB_TYPE_UUID, "UUID"},
      {DUCKDB_TYPE_BIT, "BIT"},
      {DUCKDB_TYPE_TIME_TZ, "TIME WITH TIME ZONE"},
      {DUCKDB_TYPE_TIMESTAMP_TZ, "TIMESTAMP WITH TIME ZONE"},
      {DUCKDB_TYPE_BIGNUM, "BIGNUM"},
      {DUCKDB_TYPE_SQLNULL, "\"NULL\""},
      {DUCKDB_TYPE_TIME_NS, "TIME_NS"}};
  return kNames;
}

enum class For { kSchema, kParquet };
std::string text_for(const Api& api, duckdb_logical_type type, For use);

std::string child_text(const Api& api, duckdb_logical_type child, For use) {
  const LogicalType owned(api.destroy_logical_type, child);
  return text_for(api, owned.get(), use);
}

/// As DuckDB writes names within types: quoted if necessary.
std::string member_name(const std::string& name) {
  const bool plain = !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
                     std::all_of(name.begin(), name.end(), [](unsigned char c) {
                       return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '_';
                     });
  return plain ? name : quote_identifier(name);
}

std::string struct_text(const Api& api, duckdb_logical_type type, For use) {
  std::string text = "STRUCT(";
  for (idx_t i = 0; i < api.struct_type_child_count(type); ++i) {
    const auto name = take_text(api, api.struct_type_child_name(type, i));
    text += i == 0 ? "" : ", ";
    if (!name.empty()) text += member_name(name) + " ";
    text += child_text(api, api.struct_type_child_type(type, i), use);
  }
  return text + ")";
}

std::string union_text(const Api& api, duckdb_logical_type type, For use) {
  std::string text = "UNION(";
  for (idx_t i = 0; i < api.union_type_member_count(type); ++i) {
    text += (i == 0 ? "" : ", ") + member_name(take_text(api, api.union_type_member_name(type, i))) + " ";
    text += child_text(api, api.union_type_member_type(type, i), use);
  }
  return text + ")";
}

std::string enum_text(const Api& api, duckdb_logical_type type) {
  std::string text = "ENUM(";
  for (idx_t i = 0; i < api.enum_dictionary_size(type); ++i) {
    text += (i == 0 ? "" : ", ") + quote_literal(take_text(api, api.enum_dictionary_value(type, i)));
  }
  return text + ")";
}

/// Types that DuckDB's Parquet writer rejects, rounds or reads back as another type, and their replacements.
std::string_view parquet_instead(int id) {
  switch (id) {
    case DUCKDB_TYPE_HUGEINT: return "DECIMAL(38,0)";  // DuckDB would write a double
    case DUCKDB_TYPE_UHUGEINT:
    case DUCKDB_TYPE_BIGNUM:
    case DUCKDB_TYPE_BIT:
    case DUCKDB_TYPE_INTERVAL:
    case DUCKDB_TYPE_TIME_TZ:
    case DUCKDB_TYPE_UNION: return "VARCHAR";
    case DUCKDB_TYPE_SQLNULL: return "INTEGER";
    default: return "";
  }
}

std::string text_for(const Api& api, duckdb_logical_type type, For use) {
  const auto id = static_cast<int>(api.get_type_id(type));
  if (use == For::kParquet && !parquet_instead(id).empty()) return std::string(parquet_instead(id));
  if (auto alias = take_text(api, api.logical_type_get_alias(type)); !alias.empty()) return alias;
  switch (id) {
    case DUCKDB_TYPE_DECIMAL:
      return fmt::format("DECIMAL({},{})", api.decimal_width(type), api.decimal_scale(type));
    case DUCKDB_TYPE_LIST: return child_text(api, api.list_type_child_type(type), use) + "[]";
    case DUCKDB_TYPE_ARRAY:
      return fmt::format("{}[{}]", child_text(api, api.array_type_child_type(type), use),
                         api.array_type_array_size(type));
    case DUCKDB_TYPE_MAP:
      return fmt::format("MAP({}, {})", child_text(api, api.map_type_key_type(type), use),
                         child_text(api, api.map_type_value_type(type), use));
    case DUCKDB_TYPE_STRUCT: return struct_text(api, type, use);
    case DUCKDB_TYPE_UNION: return union_text(api, type, use);
    case DUCKDB_TYPE_ENUM: return enum_text(api, type);
    default: break;
  }
  const auto name = plain_names().find(id);
  return name == plain_names().end() ? fmt::format("UNKNOWN({})", id) : std::string(name->second);
}

}  // namespace

std::string type_text(const Api& api, duckdb_logical_type type) {
  return text_for(api, type, For::kSchema);
}
std::string parquet_type(const Api& api, duckdb_logical_type type) {
  return text_for(api, type, For::kParquet);
}

bool has_foreign_type(const Api& api, duckdb_logical_type type) {
  const auto within = [&](duckdb_logical_type child) {
    const LogicalType owned(api.destroy_logical_type, child);
    return has_foreign_type(api, owned.get());
  };
  const auto id = api.get_type_id(type);
  switch (static_cast<int>(id)) {
    case DUCKDB_TYPE_DECIMAL:
    case DUCKDB_TYPE_ENUM: return false;
    case DUCKDB_TYPE_LIST: return within(api.list_type_child_type(type));
    case DUCKDB_TYPE_ARRAY: return within(api.array_type_child_type(type));
    case DUCKDB_TYPE_MAP: return within(api.map_type_key_type(type)) || within(api.map_type_value_type(type));
    case DUCKDB_TYPE_STRUCT:
      for (idx_t i = 0; i < api.struct_type_child_count(type); ++i) {
        if (within(api.struct_type_child_type(type, i))) return true;
      }
      return false;
    case DUCKDB_TYPE_UNION:
      for (idx_t i = 0; i < api.union_type_member_count(type); ++i) {
        if (within(api.union_type_member_type(type, i))) return true;
      }
      return false;
    default: return !plain_names().contains(static_cast<int>(id));
  }
}

std::vector<std::string> distinct_names(std::vector<std::string> names) {
  std::set<std::string> seen;
  const auto key = [](std::string name) {
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    return name;
  };
  for (const auto& name : names) seen.insert(key(name));
  std::set<std::string> used;
  for (auto& name : names) {
    if (used.insert(key(name)).second) continue;
    std::string other;
    for (int i = 1; other.empty() || seen.contains(key(other)) || used.contains(key(other)); ++i)
      other = fmt::format("{}_{}", name, i);
    used.insert(key(other));
    name = other;
  }
  return names;
}

}  // namespace gaur::duckdb
