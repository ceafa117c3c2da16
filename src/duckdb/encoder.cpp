#include "duckdb/encoder.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include "duckdb/calendar.hpp"
#include "duckdb/text_forms.hpp"

namespace gaur::duckdb {
namespace {

constexpr std::int64_t kExactWhole = 9007199254740991;   // 2^53-1: the largest that every JSON reader keeps
constexpr Int128 kExactDecimal = 1'000'000'000'000'000;  // 15 digits survive a double
constexpr std::int64_t kInfinite = std::numeric_limits<std::int64_t>::max();
constexpr std::int32_t kInfiniteDate = std::numeric_limits<std::int32_t>::max();

std::string_view text_of(const duckdb_string_t& stored) {
  const auto length = stored.value.inlined.length;
  return {
      length <= sizeof stored.value.inlined.inlined ? stored.value.inlined.inlined : stored.value.pointer.ptr,
      length};
}

std::span<const std::uint8_t> bytes_of(const duckdb_string_t& stored) {
  const auto text = text_of(stored);
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

/// One node in the type tree of a column: its vector, and how its values are written.
class RowEncoder::Node {
 public:
  Node(const Api& api, duckdb_logical_type type, const EncodingOptions& options)
      : api_(api), options_(options), id_(static_cast<int>(api.get_type_id(type))) {
    switch (id_) {
      case DUCKDB_TYPE_DECIMAL:
        scale_ = api.decimal_scale(type);
        width_ = api.decimal_internal_type(type);
        break;
      case DUCKDB_TYPE_ENUM:
        width_ = api.enum_internal_type(type);
        for (idx_t i = 0; i < api.enum_dictionary_size(type); ++i) {
          append_json_text(names_.emplace_back(), take_text(api, api.enum_dictionary_value(type, i)));
        }
        break;
      case DUCKDB_TYPE_LIST: add(api.list_type_child_type(type)); break;
      case DUCKDB_TYPE_ARRAY:
        length_ = api.array_type_array_size(type);
        add(api.array_type_child_type(type));
        break;
      case DUCKDB_TYPE_MAP:
        add(api.map_type_key_type(type));
        add(api.map_type_value_type(type));
        break;
      case DUCKDB_TYPE_STRUCT:
        for (idx_t i = 0; i < api.struct_type_child_count(type); ++i) {
          named(take_text(api, api.struct_type_child_name(type, i)), api.struct_type_child_type(type, i));
        }
        break;
      case DUCKDB_TYPE_UNION:
        for (idx_t i = 0; i < api.union_type_member_count(type); ++i) {
          named(take_text(api, api.union_type_member_name(type, i)), api.union_type_member_type(type, i));
        }
        break;
      default: break;
    }
  }

  void bind(duckdb_vector vector) {
    data_ = api_.vector_get_data(vector);
    validity_ = api_.vector_get_validity(vector);
    switch (id_) {
      case DUCKDB_TYPE_LIST: children_[0]->bind(api_.list_vector_get_child(vector)); break;
      case DUCKDB_TYPE_ARRAY: children_[0]->bind(api_.array_vector_get_child(vector)); break;
      case DUCKDB_TYPE_MAP: {
        const auto entries = api_.list_vector_get_child(vector);
        children_[0]->bind(api_.struct_vector_get_child(entries, 0));
        children_[1]->bind(api_.struct_vector_get_child(entries, 1));
        break;
      }
      case DUCKDB_TYPE_STRUCT:
        for (std::size_t i = 0; i < children_.size(); ++i)
          children_[i]->bind(api_.struct_vector_get_child(vector, i));
        break;
      case DUCKDB_TYPE_UNION:  // child 0 holds the tags, the members follow
        tags_ =
            static_cast<const std::uint8_t*>(api_.vector_get_data(api_.struct_vector_get_child(vector, 0)));
        for (std::size_t i = 0; i < children_.size(); ++i)
          children_[i]->bind(api_.struct_vector_get_child(vector, i + 1));
        break;
      default: break;
    }
  }

  void append(std::string& out, std::size_t row) const {
    if (validity_ != nullptr && ((validity_[row / 64] >> (row % 64)) & 1U) == 0) {
      out += "null";
    } else if (!append_number(out, row) && !append_time_like(out, row) && !append_text_like(out, row)) {
      append_nested(out, row);
    }
  }

  std::string_view json_name() const {
    switch (id_) {
      case DUCKDB_TYPE_BOOLEAN: return "boolean";
      case DUCKDB_TYPE_TINYINT:
      case DUCKDB_TYPE_SMALLINT:
      case DUCKDB_TYPE_INTEGER:
      case DUCKDB_TYPE_UTINYINT:
      case DUCKDB_TYPE_USMALLINT:
      case DUCKDB_TYPE_UINTEGER:
      case DUCKDB_TYPE_FLOAT:
      case DUCKDB_TYPE_DOUBLE: return "number";
      case DUCKDB_TYPE_BIGINT:
      case DUCKDB_TYPE_UBIGINT:
      case DUCKDB_TYPE_HUGEINT:
      case DUCKDB_TYPE_UHUGEINT:
      case DUCKDB_TYPE_BIGNUM: return options_.bigint_number ? "number" : "string";
      case DUCKDB_TYPE_DECIMAL: return options_.decimal_number ? "number" : "string";
      case DUCKDB_TYPE_LIST:
      case DUCKDB_TYPE_ARRAY: return "array";
      case DUCKDB_TYPE_MAP: return string_keys() ? "object" : "array";
      case DUCKDB_TYPE_STRUCT: return unnamed() ? "array" : "object";
      case DUCKDB_TYPE_UNION: return "object";
      case DUCKDB_TYPE_SQLNULL: return "null";
      default: return "string";
    }
  }

 private:
  void add(duckdb_logical_type child) {
    const LogicalType owned(api_.destroy_logical_type, child);
    children_.push_back(std::make_unique<Node>(api_, owned.get(), options_));
  }
  void named(const std::string& name, duckdb_logical_type child) {
    add(child);
    append_json_text(names_.emplace_back(), name);
  }
  bool string_keys() const { return children_[0]->id_ == DUCKDB_TYPE_VARCHAR; }
  bool unnamed() const { return !names_.empty() && names_[0] == "\"\""; }

  template <class T>
  T at(std::size_t row) const {
    T value;  // copied: DuckDB does not align 128-bit numbers to 16 bytes
    std::memcpy(&value, static_cast<const char*>(data_) + row * sizeof(T), sizeof(T));
    return value;
  }
  /// By reference: it contains inlined texts.
  const duckdb_string_t& stored(std::size_t row) const {
    return static_cast<const duckdb_string_t*>(data_)[row];
  }

  void append_wide(std::string& out, Int128 value) const {
    const bool bare = options_.bigint_number && value <= kExactWhole && value >= -kExactWhole;
    if (!bare) out += '"';
    append_signed(out, value);
    if (!bare) out += '"';
  }

  template <class Real>
  void append_real(std::string& out, Real value) const {
    if (std::isfinite(value)) {
      if constexpr (std::is_same_v<Real, float>) {
        append_float(out, value);
      } else {
        append_double(out, value);
      }
    } else if (!options_.nonfinite_text) {
      out += "null";
    } else {
      out += std::isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    }
  }

  Int128 decimal_at(std::size_t row) const {
    switch (width_) {
      case DUCKDB_TYPE_SMALLINT: return at<std::int16_t>(row);
      case DUCKDB_TYPE_INTEGER: return at<std::int32_t>(row);
      case DUCKDB_TYPE_BIGINT: return at<std::int64_t>(row);
      default: return at<Int128>(row);
    }
  }

  bool append_number(std::string& out, std::size_t row) const {
    switch (id_) {
      case DUCKDB_TYPE_BOOLEAN: out += at<bool>(row) ? "true" : "false"; return true;
      case DUCKDB_TYPE_TINYINT: append_signed(out, at<std::int8_t>(row)); return true;
      case DUCKDB_TYPE_SMALLINT: append_signed(out, at<std::int16_t>(row)); return true;
      case DUCKDB_TYPE_INTEGER: append_signed(out, at<std::int32_t>(row)); return true;
      case DUCKDB_TYPE_UTINYINT: append_signed(out, at<std::uint8_t>(row)); return true;
      case DUCKDB_TYPE_USMALLINT: append_signed(out, at<std::uint16_t>(row)); return true;
      case DUCKDB_TYPE_UINTEGER: append_signed(out, at<std::uint32_t>(row)); return true;
      case DUCKDB_TYPE_BIGINT: append_wide(out, at<std::int64_t>(row)); return true;
      case DUCKDB_TYPE_UBIGINT: append_wide(out, at<std::uint64_t>(row)); return true;
      case DUCKDB_TYPE_HUGEINT: append_wide(out, at<Int128>(row)); return true;
      case DUCKDB_TYPE_UHUGEINT: append_unsigned_wide(out, at<UInt128>(row)); return true;
      case DUCKDB_TYPE_BIGNUM: append_big(out, row); return true;
      case DUCKDB_TYPE_FLOAT: append_real(out, at<float>(row)); return true;
      case DUCKDB_TYPE_DOUBLE: append_real(out, at<double>(row)); return true;
      case DUCKDB_TYPE_DECIMAL: {
        const Int128 value = decimal_at(row);
        const bool bare = options_.decimal_number && value < kExactDecimal && value > -kExactDecimal;
        if (!bare) out += '"';
        append_decimal(out, value, scale_);
        if (!bare) out += '"';
        return true;
      }
      default: return false;
    }
  }

  void append_unsigned_wide(std::string& out, UInt128 value) const {
    if (value <= static_cast<UInt128>(kExactWhole)) return append_wide(out, static_cast<Int128>(value));
    out += '"';
    append_unsigned(out, value);
    out += '"';
  }

  void append_big(std::string& out, std::size_t row) const {
    std::string digits;
    append_bignum(digits, bytes_of(stored(row)));
    const bool bare = options_.bigint_number && digits.size() <= 15;
    out.append(bare ? "" : "\"").append(digits).append(bare ? "" : "\"");
  }

  bool append_time_like(std::string& out, std::size_t row) const {
    const std::size_t from = out.size();
    out += '"';
    switch (id_) {
      case DUCKDB_TYPE_DATE:
        if (const auto days = at<std::int32_t>(row); days == kInfiniteDate || days == -kInfiniteDate) {
          out += days > 0 ? "infinity" : "-infinity";
        } else {
          append_date(out, days);
        }
        break;
      case DUCKDB_TYPE_TIMESTAMP: append_instant(out, row, 1'000'000, ""); break;
      case DUCKDB_TYPE_TIMESTAMP_TZ: append_instant(out, row, 1'000'000, "Z"); break;
      case DUCKDB_TYPE_TIMESTAMP_S: append_instant(out, row, 1, ""); break;
      case DUCKDB_TYPE_TIMESTAMP_MS: append_instant(out, row, 1'000, ""); break;
      case DUCKDB_TYPE_TIMESTAMP_NS: append_instant(out, row, 1'000'000'000, ""); break;
      case DUCKDB_TYPE_TIME: append_time(out, at<std::int64_t>(row), 1'000'000); break;
      case DUCKDB_TYPE_TIME_NS: append_time(out, at<std::int64_t>(row), 1'000'000'000); break;
      case DUCKDB_TYPE_TIME_TZ: append_time_tz(out, at<std::uint64_t>(row)); break;
      case DUCKDB_TYPE_INTERVAL: {
        const auto interval = at<duckdb_interval>(row);
        append_interval(out, interval.months, interval.days, interval.micros);
        break;
      }
      default: out.resize(from); return false;
    }
    out += '"';
    return true;
  }

  void append_instant(std::string& out, std::size_t row, std::int64_t unit, std::string_view zone) const {
    const auto ticks = at<std::int64_t>(row);
    if (ticks == kInfinite || ticks == -kInfinite) {
      out += ticks > 0 ? "infinity" : "-infinity";
    } else {
      append_timestamp(out, ticks, unit);
      out += zone;
    }
  }

  bool append_text_like(std::string& out, std::size_t row) const {
    switch (id_) {
      case DUCKDB_TYPE_VARCHAR: append_json_text(out, text_of(stored(row))); return true;
      case DUCKDB_TYPE_ENUM: {
        const std::size_t index = width_ == DUCKDB_TYPE_UTINYINT    ? at<std::uint8_t>(row)
                                  : width_ == DUCKDB_TYPE_USMALLINT ? at<std::uint16_t>(row)
                                                                    : at<std::uint32_t>(row);
        out += names_[index];
        return true;
      }
      case DUCKDB_TYPE_BLOB:
      case DUCKDB_TYPE_BIT:
      case DUCKDB_TYPE_UUID:
        out += '"';
        if (id_ == DUCKDB_TYPE_BLOB) append_base64(out, bytes_of(stored(row)));
        if (id_ == DUCKDB_TYPE_BIT) append_bits(out, bytes_of(stored(row)));
        if (id_ == DUCKDB_TYPE_UUID) append_uuid(out, at<UInt128>(row));
        out += '"';
        return true;
      default: return false;
    }
  }

  void append_nested(std::string& out, std::size_t row) const {
    switch (id_) {
      case DUCKDB_TYPE_LIST: {
        const auto entry = at<duckdb_list_entry>(row);
        append_items(out, entry.offset, entry.length);
        break;
      }
      case DUCKDB_TYPE_ARRAY: append_items(out, row * length_, length_); break;
      case DUCKDB_TYPE_MAP: append_map(out, at<duckdb_list_entry>(row)); break;
      case DUCKDB_TYPE_STRUCT: {
        out += unnamed() ? '[' : '{';
        for (std::size_t i = 0; i < children_.size(); ++i) {
          if (i > 0) out += ',';
          if (!unnamed()) out.append(names_[i]).append(":");
          children_[i]->append(out, row);
        }
        out += unnamed() ? ']' : '}';
        break;
      }
      case DUCKDB_TYPE_UNION: {
        const std::size_t tag = tags_[row];
        out.append("{\"tag\":").append(names_[tag]).append(",\"value\":");
        children_[tag]->append(out, row);
        out += '}';
        break;
      }
      default: out += "null"; break;  // SQLNULL; foreign types never come here: the query casts them
    }
  }

  void append_items(std::string& out, std::size_t from, std::size_t count) const {
    out += '[';
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) out += ',';
      children_[0]->append(out, from + i);
    }
    out += ']';
  }

  void append_map(std::string& out, const duckdb_list_entry& entry) const {
    const bool object = string_keys();
    out += object ? '{' : '[';
    for (std::size_t i = entry.offset; i < entry.offset + entry.length; ++i) {
      if (i > entry.offset) out += ',';
      if (!object) out += '[';
      children_[0]->append(out, i);
      out += object ? ':' : ',';
      children_[1]->append(out, i);
      if (!object) out += ']';
    }
    out += object ? '}' : ']';
  }

  const Api& api_;
  const EncodingOptions& options_;
  int id_;
  unsigned scale_ = 0;
  duckdb_type width_ = DUCKDB_TYPE_INVALID;  // of a decimal's or enum's stored number
  std::size_t length_ = 0;                   // of an array
  std::vector<std::unique_ptr<Node>> children_;
  std::vector<std::string> names_;  // of members or enum values, as JSON text
  const void* data_ = nullptr;
  const std::uint64_t* validity_ = nullptr;
  const std::uint8_t* tags_ = nullptr;
};

RowEncoder::RowEncoder(const Api& api, std::vector<std::string> names, const std::vector<LogicalType>& types,
                       EncodingOptions options)
    : api_(api), options_(options) {
  for (std::size_t i = 0; i < types.size(); ++i) {
    auto node = std::make_unique<Node>(api, types[i].get(), options_);
    auto& key = keys_.emplace_back(i == 0 ? "" : ",");
    if (options_.shape == Shape::kObjects) {
      append_json_text(key, names[i]);
      key += ':';
    }
    columns_.push_back({names[i], type_text(api, types[i].get()), std::string(node->json_name())});
    nodes_.push_back(std::move(node));
  }
}

RowEncoder::~RowEncoder() = default;

void RowEncoder::bind(duckdb_data_chunk chunk) {
  for (std::size_t i = 0; i < nodes_.size(); ++i) nodes_[i]->bind(api_.data_chunk_get_vector(chunk, i));
}

void RowEncoder::append_row(std::string& out, std::size_t row) const {
  const bool objects = options_.shape == Shape::kObjects;
  out += objects ? '{' : '[';
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    out += keys_[i];
    nodes_[i]->append(out, row);
  }
  out += objects ? '}' : ']';
}

}  // namespace gaur::duckdb
