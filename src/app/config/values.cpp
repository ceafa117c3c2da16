// Reading one value by its row in the schema, and showing it again.
#include <fmt/format.h>

#include <charconv>
#include <filesystem>

#include "app/config/settings.hpp"
#include "app/config/units.hpp"
#include "base/suggest.hpp"
#include "base/try.hpp"
#include "redis/url.hpp"

namespace gaur::app {
namespace {

constexpr std::string_view kEmbedded = "embedded:";
std::string as_written(const json::Value& given) {
  return json::serialize(given);
}

Error wrong(const KeyRow& row, const json::Value& given) {
  return {Errc::kInvalidArgument, fmt::format("takes {}, not {}", type_name(row), as_written(given))};
}

std::string absolute(const std::string& base, std::string_view path) {
  if (path.empty()) return "";
  const std::filesystem::path given(path);
  if (given.is_absolute()) return given.lexically_normal().string();
  const std::filesystem::path around =
      base.empty() ? std::filesystem::current_path() : std::filesystem::path(base);
  return (around / given).lexically_normal().string();
}

std::vector<std::string> words(std::string_view text, char separator) {
  std::vector<std::string> found;
  while (!text.empty()) {
    const std::size_t end = text.find(separator);
    found.emplace_back(text.substr(0, end));
    text = end == std::string_view::npos ? "" : text.substr(end + 1);
  }
  return found;
}

/// Text from a flag or variable as the number, flag or list that the row takes.
json::Value from_text_of(const KeyRow& row, const std::string& text) {
  const bool numeric = row.kind == Kind::kWhole || row.kind == Kind::kNumber;
  if (numeric) {
    std::int64_t whole = 0;
    const char* end = text.data() + text.size();
    if (const auto r = std::from_chars(text.data(), end, whole); r.ec == std::errc() && r.ptr == end)
      return whole;
    double number = 0;
    if (const auto r = std::from_chars(text.data(), end, number); r.ec == std::errc() && r.ptr == end)
      return number;
  }
  if (row.kind == Kind::kFlag && (text == "true" || text == "1")) return true;
  if (row.kind == Kind::kFlag && (text == "false" || text == "0")) return false;
  if (row.kind == Kind::kTexts || row.kind == Kind::kPaths) {
    json::Array list;
    for (const std::string& word : words(text, ',')) list.emplace_back(word);
    return list;
  }
  if (row.kind == Kind::kJson) {
    if (auto parsed = json::parse(text)) return *std::move(parsed);
  }
  return json::Value(text);
}

Result<json::Value> read_whole(const KeyRow& row, const json::Value& given) {
  constexpr std::int64_t kMost = 1LL << 53;
  if (!given.is_int64() || given.as_int64() < 0 || given.as_int64() > kMost) return wrong(row, given);
  return given;
}

Result<json::Value> read_number(const KeyRow& row, const json::Value& given) {
  if (!given.is_number()) return wrong(row, given);
  const double number = given.to_number<double>();
  if (!(number > 0) || number > 1e6) {
    return Error{Errc::kInvalidArgument, fmt::format("must be above 0, was {}", as_written(given))};
  }
  return json::Value(number);
}

Result<json::Value> read_duration(const KeyRow& row, const json::Value& given) {
  if (given.is_int64() && given.as_int64() == 0) return given;
  if (given.is_number()) {
    return Error{Errc::kInvalidArgument,
                 fmt::format("needs a unit: \"{}s\" or \"{}ms\"?", as_written(given), as_written(given))};
  }
  if (!given.is_string()) return wrong(row, given);
  GAUR_TRY(const Duration duration, parse_duration(std::string_view(given.as_string())));
  return json::Value(duration.count());
}

Result<json::Value> read_size(const KeyRow& row, const json::Value& given) {
  if (given.is_int64() && given.as_int64() >= 0) return given;
  if (!given.is_string()) return wrong(row, given);
  GAUR_TRY(const std::uint64_t bytes, parse_size(std::string_view(given.as_string())));
  return json::Value(static_cast<std::int64_t>(bytes));
}

Result<json::Value> read_choice(const KeyRow& row, const json::Value& given) {
  const auto choices = words(row.choices, '|');
  if (!given.is_string()) return wrong(row, given);
  const std::string_view word = given.as_string();
  for (const std::string& choice : choices) {
    if (choice == word) return given;
  }
  std::string message = fmt::format("takes {}, not \"{}\"", type_name(row), word);
  if (const auto near = nearest(word, choices)) message += fmt::format("; did you mean \"{}\"?", *near);
  return Error{Errc::kInvalidArgument, message};
}

Result<json::Value> read_list(const KeyRow& row, const json::Value& given, const std::string& base) {
  if (!given.is_array()) return wrong(row, given);
  json::Array list;
  for (const json::Value& entry : given.as_array()) {
    if (!entry.is_string()) return wrong(row, given);
    const std::string_view text = entry.as_string();
    list.emplace_back(row.kind == Kind::kPaths ? absolute(base, text) : std::string(text));
  }
  return json::Value(std::move(list));
}

Result<json::Value> read_store_url(const json::Value& given, const std::string& base) {
  const std::string_view url = given.is_string() ? std::string_view(given.as_string()) : "";
  if (url.starts_with(kEmbedded) && url.size() > kEmbedded.size()) {
    return json::Value(std::string(kEmbedded) + absolute(base, url.substr(kEmbedded.size())));
  }
  if (redis::is_redis_url(url)) {
    GAUR_TRY(const auto parsed, redis::parse_url(url));
    return json::Value(url);
  }
  return Error{Errc::kInvalidArgument,
               fmt::format("takes \"embedded:PATH\", \"redis://HOST:PORT\", \"rediss://HOST:PORT\" or "
                           "\"redis+unix:///PATH\", not {}",
                           json::quote(redis::masked(url)))};
}

Result<json::Value> read_text_table(const KeyRow& row, const json::Value& given) {
  if (!given.is_object()) return wrong(row, given);
  std::string wrong_entries;
  for (const auto& [name, entry] : given.as_object()) {
    if (entry.is_string()) continue;
    wrong_entries += fmt::format("{}{} must be text, was {}", wrong_entries.empty() ? "" : "; ",
                                 std::string_view(name), as_written(entry));
  }
  if (!wrong_entries.empty()) return Error{Errc::kInvalidArgument, std::move(wrong_entries)};
  return given;
}

}  // namespace

Result<json::Value> read_value(const KeyRow& row, const json::Value& raw, const std::string& base,
                               bool from_text) {
  const json::Value given =
      from_text && raw.is_string() ? from_text_of(row, std::string(raw.as_string())) : raw;
  if (row.or_auto && given.is_string() && given.as_string() == "auto") return given;
  switch (row.kind) {
    case Kind::kWhole: return read_whole(row, given);
    case Kind::kNumber: return read_number(row, given);
    case Kind::kDuration: return read_duration(row, given);
    case Kind::kSize: return read_size(row, given);
    case Kind::kChoice: return read_choice(row, given);
    case Kind::kTexts:
    case Kind::kPaths: return read_list(row, given, base);
    case Kind::kStoreUrl: return read_store_url(given, base);
    case Kind::kTextTable: return read_text_table(row, given);
    case Kind::kJson: return given.is_object() ? Result<json::Value>(given) : wrong(row, given);
    case Kind::kFlag: return given.is_bool() ? Result<json::Value>(given) : wrong(row, given);
    case Kind::kText:
    case Kind::kSecret:
    case Kind::kPath: break;
  }
  if (!given.is_string())
    return row.kind == Kind::kSecret ? Error{Errc::kInvalidArgument, "takes text"} : wrong(row, given);
  const std::string_view text = given.as_string();
  return json::Value(row.kind == Kind::kPath ? absolute(base, text) : std::string(text));
}

std::string show_value(const KeyRow& row, const json::Value& value) {
  if (value.is_null()) return "";
  if (row.kind == Kind::kSecret) return "(secret)";
  if (row.kind == Kind::kStoreUrl && value.is_string())
    return json::quote(redis::masked(std::string_view(value.as_string())));
  if (row.kind == Kind::kDuration && value.is_int64())
    return '"' + format_duration(Duration(value.as_int64())) + '"';
  if (row.kind == Kind::kSize && value.is_int64()) {
    return '"' + format_size(static_cast<std::uint64_t>(value.as_int64())) + '"';
  }
  if (value.is_double()) return fmt::format("{:g}", value.as_double());
  return json::serialize(value);
}

}  // namespace gaur::app
