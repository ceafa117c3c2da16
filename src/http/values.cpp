#include "http/values.hpp"

#include <fmt/format.h>

#include "base/decimal_text.hpp"
#include "base/json.hpp"
#include "base/name_text.hpp"
#include "base/try.hpp"
#include "base/utf8.hpp"

namespace gaur::http {

namespace {

Error bad_target(std::string_view rule) {
  return {Errc::kInvalidArgument, fmt::format("URL: {}", rule)};
}

Result<std::string> decoded(std::string_view text) {
  auto decoded = percent_decode(text);
  if (!decoded) return decoded.error().in("URL");
  return decoded;
}

}  // namespace

Result<Target> parse_target(std::string_view target) {
  if (target.empty() || target.front() != '/') return bad_target("a path that begins with / is expected");
  const bool plain =
      std::all_of(target.begin(), target.end(), [](char c) { return c > ' ' && c < 0x7F && c != '#'; });
  if (!plain) return bad_target("blanks, control characters, # and bytes above 7E must be percent-encoded");
  Target out;
  const std::size_t question = target.find('?');
  std::string_view path = target.substr(1, question == std::string_view::npos ? question : question - 1);
  while (true) {
    const std::size_t slash = path.find('/');
    GAUR_TRY(std::string segment, decoded(path.substr(0, slash)));
    out.segments.push_back(std::move(segment));
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  if (question == std::string_view::npos) return out;
  std::string_view query = target.substr(question + 1);
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    GAUR_TRY(std::string key, decoded(pair.substr(0, equals)));
    GAUR_TRY(std::string value, decoded(equals == std::string_view::npos ? "" : pair.substr(equals + 1)));
    out.query.emplace_back(std::move(key), std::move(value));
  }
  return out;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  if (text.empty() || text.size() > 18 || !std::all_of(text.begin(), text.end(), is_digit))
    return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) value = value * 10 + static_cast<std::uint64_t>(c - '0');
  return value;
}

std::pair<RangeVerdict, ByteRange> parse_range(std::string_view header, std::uint64_t size) {
  const std::pair<RangeVerdict, ByteRange> whole{RangeVerdict::kWhole, {0, size}};
  constexpr std::string_view kUnit = "bytes=";
  if (!header.starts_with(kUnit)) return whole;
  const std::string_view spec = trim(header.substr(kUnit.size()));
  const std::size_t dash = spec.find('-');
  if (dash == std::string_view::npos || spec.find(',') != std::string_view::npos) return whole;
  const std::string_view left = spec.substr(0, dash);
  const std::string_view right = spec.substr(dash + 1);
  const auto first = parse_number(left);
  const auto last = parse_number(right);
  if ((!left.empty() && !first) || (!right.empty() && !last) || (!first && !last)) return whole;
  if (!first) {  // the last `last` bytes
    if (*last == 0 || size == 0) return {RangeVerdict::kUnsatisfiable, {}};
    const std::uint64_t length = std::min(*last, size);
    return {RangeVerdict::kPart, {size - length, length}};
  }
  if (last && *last < *first) return whole;
  if (*first >= size) return {RangeVerdict::kUnsatisfiable, {}};
  const std::uint64_t end = last ? std::min(*last + 1, size) : size;
  return {RangeVerdict::kPart, {*first, end - *first}};
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace gaur::http
