#include "core/result_json.hpp"

#include <cstdio>

#include "base/json.hpp"
#include "base/json_text.hpp"
#include "base/json_writer.hpp"
#include "base/time_text.hpp"

namespace gaur {
namespace {

/// Longest text of a file's member or of a link; a URL contains a queue name and a job id, percent-encoded.
constexpr std::size_t kLongestFile = 8'192;
constexpr std::string_view kMember = "\"file\":{\"url\":";

std::optional<Time> parse_time(const std::string& text) {
  int year = 0;
  unsigned month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (std::sscanf(text.c_str(), "%4d-%2u-%2uT%2u:%2u:%2uZ", &year, &month, &day, &hour, &minute, &second) !=
      6)
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok()) return std::nullopt;
  const std::chrono::seconds clock =
      std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second);
  return Time(std::chrono::duration_cast<Duration>(std::chrono::sys_days(date).time_since_epoch() + clock));
}

std::string file_json(const ResultFileInfo& file) {
  return json::object([&](json::ObjectWriter& out) {
    out.text("url", file.url);
    if (file.is_link) {
      out.number("bytes", file.bytes).text("format", file.format);
    } else {
      out.text("format", file.format).number("bytes", file.bytes).number("rows", file.rows);
    }
    out.text(file.is_link ? "expires" : "expires_at", iso_time_seconds(file.expires_at));
  });
}

std::optional<ResultFileInfo> parse_file(std::string_view text, bool is_link) {
  if (text.size() > kLongestFile) return std::nullopt;
  const auto members = json::parse_object(text);
  if (!members) return std::nullopt;
  const auto expires_at = parse_time(json::text_or(*members, is_link ? "expires" : "expires_at", ""));
  if (!expires_at) return std::nullopt;
  const auto number = [&](std::string_view key) {
    return static_cast<std::uint64_t>(json::integer(*members, key).value_or(0));
  };
  return ResultFileInfo{.url = json::text_or(*members, "url", ""),
                        .format = json::text_or(*members, "format", ""),
                        .bytes = number("bytes"),
                        .rows = number("rows"),
                        .expires_at = *expires_at,
                        .is_link = is_link};
}

struct Parts {
  std::string result;
  std::optional<ResultFileInfo> file;
};

/// The parts that `text` may consist of; the caller verifies them by writing them again.
Parts split(std::string_view text) {
  if (text.starts_with("{\"url\":")) return {"null", parse_file(text, true)};
  const std::size_t member = text.ends_with("}}") ? text.rfind(kMember) : std::string_view::npos;
  if (member == std::string_view::npos) return {};
  const std::size_t begin = member + kMember.find('{');
  std::string_view before = text.substr(0, member);
  if (before.ends_with(',')) before.remove_suffix(1);
  return {std::string(before) + "}", parse_file(text.substr(begin, text.size() - 1 - begin), false)};
}

}  // namespace

std::string result_json(const std::string& result, const std::optional<ResultFileInfo>& file) {
  if (!file) return result;
  if (file->is_link) return file_json(*file);
  return json::with_member(result, "file", file_json(*file));
}

std::string result_json(const Job& job) {
  return result_json(job.result, job.result_file);
}

void set_result(Job& job, std::string text) {
  Parts parts = split(text);
  if (parts.file && result_json(parts.result, parts.file) == text) {
    job.result = std::move(parts.result);
    job.result_file = std::move(parts.file);
    return;
  }
  job.result = std::move(text);
  job.result_file.reset();
}

}  // namespace gaur
