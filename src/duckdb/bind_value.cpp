// Converts checked values to DuckDB's, each of exactly its declared type, NULL included.
#include <algorithm>

#include "duckdb/parameters.hpp"
#include "duckdb/scalar.hpp"

namespace gaur::duckdb {
namespace {

duckdb_hugeint huge(Int128 number) {
  return {static_cast<std::uint64_t>(number), static_cast<std::int64_t>(number >> 64)};
}
duckdb_uhugeint unsigned_huge(UInt128 number) {
  return {static_cast<std::uint64_t>(number), static_cast<std::uint64_t>(number >> 64U)};
}

LogicalType logical_type(const Api& api, const ParameterType& type) {
  static constexpr duckdb_type kTypes[] = {
      // in the order of Scalar
      DUCKDB_TYPE_BOOLEAN,      DUCKDB_TYPE_INTEGER,  DUCKDB_TYPE_BIGINT, DUCKDB_TYPE_UBIGINT,
      DUCKDB_TYPE_HUGEINT,      DUCKDB_TYPE_UHUGEINT, DUCKDB_TYPE_DOUBLE, DUCKDB_TYPE_DECIMAL,
      DUCKDB_TYPE_VARCHAR,      DUCKDB_TYPE_DATE,     DUCKDB_TYPE_TIME,   DUCKDB_TYPE_TIMESTAMP,
      DUCKDB_TYPE_TIMESTAMP_TZ, DUCKDB_TYPE_UUID,     DUCKDB_TYPE_BLOB,   DUCKDB_TYPE_INTERVAL,
      DUCKDB_TYPE_VARCHAR};
  if (type.scalar == Scalar::kDecimal)
    return LogicalType(api.destroy_logical_type, api.create_decimal_type(type.precision, type.scale));
  LogicalType made(api.destroy_logical_type,
                   api.create_logical_type(kTypes[static_cast<std::size_t>(type.scalar)]));
  if (type.scalar == Scalar::kJson) api.logical_type_set_alias(made.get(), "JSON");  // as DuckDB itself does
  return made;
}

/// `value` cast to `type`. The C API casts the items of a list to its item type, and has no other cast.
Value cast_to(const Api& api, const LogicalType& type, duckdb_value value) {
  const Value list(api.destroy_value, api.create_list_value(type.get(), &value, 1));
  return Value(api.destroy_value, api.get_list_child(list.get(), 0));
}

Value null_of(const Api& api, const ParameterType& type) {
  auto made = logical_type(api, type);
  if (type.list) made = LogicalType(api.destroy_logical_type, api.create_list_type(made.get()));
  const Value null(api.destroy_value, api.create_null_value());
  return cast_to(api, made, null.get());
}

Value text_like_to_duckdb(const Api& api, const ParameterType& type, const std::string& text) {
  if (type.scalar == Scalar::kBlob)
    return Value(api.destroy_value,
                 api.create_blob(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  Value made(api.destroy_value, api.create_varchar_length(text.data(), text.size()));
  if (type.scalar != Scalar::kJson) return made;
  return cast_to(api, logical_type(api, type), made.get());
}

duckdb_value int64_to_duckdb(const Api& api, Scalar scalar, std::int64_t number) {
  switch (scalar) {
    case Scalar::kInteger: return api.create_int32(static_cast<std::int32_t>(number));
    case Scalar::kDate: return api.create_date({static_cast<std::int32_t>(number)});
    case Scalar::kTime: return api.create_time({number});
    case Scalar::kTimestamp: return api.create_timestamp({number});
    case Scalar::kTimestampTz: return api.create_timestamp_tz({number});
    default: return api.create_int64(number);
  }
}

Value scalar_to_duckdb(const Api& api, const ParameterType& type, const ScalarValue& value) {
  const auto owned = [&](duckdb_value made) { return Value(api.destroy_value, made); };
  if (const auto* flag = std::get_if<bool>(&value)) return owned(api.create_bool(*flag));
  if (const auto* number = std::get_if<std::int64_t>(&value))
    return owned(int64_to_duckdb(api, type.scalar, *number));
  if (const auto* number = std::get_if<double>(&value)) return owned(api.create_double(*number));
  if (const auto* number = std::get_if<Int128>(&value)) {
    if (type.scalar == Scalar::kHugeint) return owned(api.create_hugeint(huge(*number)));
    return owned(api.create_decimal({type.precision, type.scale, huge(*number)}));
  }
  if (const auto* number = std::get_if<UInt128>(&value)) {
    if (type.scalar == Scalar::kUuid) return owned(api.create_uuid(unsigned_huge(*number)));
    if (type.scalar == Scalar::kUhugeint) return owned(api.create_uhugeint(unsigned_huge(*number)));
    return owned(api.create_uint64(static_cast<std::uint64_t>(*number)));
  }
  if (const auto* interval = std::get_if<Interval>(&value))
    return owned(api.create_interval({interval->months, interval->days, interval->micros}));
  return text_like_to_duckdb(api, type, std::get<std::string>(value));
}

Value list_to_duckdb(const Api& api, const ParameterType& type, std::vector<Value>& items) {
  std::vector<duckdb_value> handles;
  handles.reserve(std::max<std::size_t>(1, items.size()));  // a null pointer is rejected, also for no items
  for (const auto& item : items) handles.push_back(item.get());
  const auto item_type = logical_type(api, type);
  return Value(api.destroy_value, api.create_list_value(item_type.get(), handles.data(), handles.size()));
}

/// Checked before.
Value item_to_duckdb(const Api& api, const Parameter& parameter, const json::RawValue& item) {
  return scalar_to_duckdb(api, parameter.type, *read_scalar(parameter.type, parameter.coerce, item));
}

}  // namespace

Value to_duckdb(const Api& api, const Parameter& parameter, const json::RawValue* value) {
  if (value == nullptr || value->is_null()) return null_of(api, parameter.type);
  if (!parameter.type.list) return item_to_duckdb(api, parameter, *value);
  std::vector<Value> items;
  for (const auto& item : value->items()) items.push_back(item_to_duckdb(api, parameter, item));
  return list_to_duckdb(api, parameter.type, items);
}

Value to_duckdb(const Api& api, const Untyped& given) {
  if (!given.has_type) return Value(api.destroy_value, api.create_null_value());
  return to_duckdb(api, given.parameter, &given.value);
}

}  // namespace gaur::duckdb
