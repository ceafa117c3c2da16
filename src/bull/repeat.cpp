#include "bull/repeat.hpp"

// GCC 12 cannot see that from_stream() reads its seconds only after it has set them.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <date/date.h>
#pragma GCC diagnostic pop
#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>
#include <vector>

#include "core/cron.hpp"

namespace gaur::bull {

namespace {

/// A number as JavaScript writes it where it is a whole one; others keep 17 digits.
std::string number_text(const json::Value& value) {
  if (value.is_int64()) return std::to_string(value.get_int64());
  if (value.is_uint64()) return std::to_string(value.get_uint64());
  if (value.is_double()) {
    const double number = value.get_double();
    if (std::floor(number) == number && std::abs(number) < 1e15)
      return std::to_string(static_cast<std::int64_t>(number));
    return fmt::format("{}", number);
  }
  return value.is_string() ? std::string(value.get_string()) : std::string();
}

/// A date as JSON holds it: ms, or the ISO text of a Date.
std::optional<Time> date_of(const json::Value& value) {
  if (value.is_int64()) return from_ms(value.get_int64());
  if (value.is_double()) return from_ms(static_cast<std::int64_t>(value.get_double()));
  if (!value.is_string()) return std::nullopt;
  std::istringstream in{std::string(value.get_string())};
  date::sys_time<Duration> time;
  const bool day_only = value.get_string().size() == 10;
  in >> date::parse(day_only ? "%Y-%m-%d" : "%Y-%m-%dT%H:%M:%S", time);
  if (in.fail()) return std::nullopt;
  return Time(time.time_since_epoch());
}

std::vector<std::string> split(std::string_view text, char separator, std::size_t at_most) {
  std::vector<std::string> parts;
  while (parts.size() + 1 < at_most) {
    const auto end = text.find(separator);
    if (end == std::string_view::npos) break;
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  parts.emplace_back(text);
  return parts;
}

}  // namespace

std::string md5_hex(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_md5(), nullptr);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

Result<std::optional<Repeat>> repeat_of(const json::Object& options) {
  const json::Value* const value = options.if_contains("repeat");
  if (value == nullptr || value->is_null()) return std::optional<Repeat>();
  if (!value->is_object()) return Error{Errc::kInvalidArgument, "repeat: must be an object"};
  const json::Object& from = value->get_object();
  Repeat repeat;
  const auto text = [&](std::string_view key) {
    const json::Value* const found = from.if_contains(key);
    return found == nullptr ? std::string() : number_text(*found);
  };
  repeat.cron = text("cron");
  repeat.every = text("every");
  repeat.time_zone = text("tz");
  repeat.job_id = text("jobId");
  repeat.key = text("key");
  repeat.limit = json::integer(from, "limit");
  repeat.count = json::integer(from, "count").value_or(0);
  for (const auto& [key, where] : {std::pair{"startDate", &repeat.start}, {"endDate", &repeat.end}}) {
    const json::Value* const found = from.if_contains(key);
    if (found == nullptr || found->is_null()) continue;
    *where = date_of(*found);
    if (!*where) return Error{Errc::kInvalidArgument, fmt::format("repeat.{}: ms or an ISO date", key)};
  }
  if (repeat.cron.empty() == repeat.every.empty())
    return Error{Errc::kInvalidArgument, "repeat: either cron or every must be given"};
  return std::optional(std::move(repeat));
}

std::string repeat_key(std::string_view name, const Repeat& repeat) {
  const std::string end = repeat.end ? std::to_string(to_ms(*repeat.end)) : "";
  const std::string suffix =
      repeat.cron.empty() ? repeat.every : fmt::format("{}:{}", repeat.time_zone, repeat.cron);
  return fmt::format("{}:{}:{}:{}", name, repeat.job_id, end, suffix);
}

std::string repeat_hash(std::string_view name, std::string_view job_id, std::string_view key) {
  return md5_hex(fmt::format("{}{}:{}", name, job_id, md5_hex(key)));
}

JobId iteration_id(std::string_view name, const Repeat& repeat, std::string_view key, Time slot) {
  return JobId(fmt::format("repeat:{}:{}", repeat_hash(name, repeat.job_id, key), to_ms(slot)));
}

Result<std::optional<Time>> next_slot(const Repeat& repeat, Time now, std::optional<Time> taken_slot) {
  if (repeat.limit && repeat.count + 1 > *repeat.limit) return std::optional<Time>();
  if (repeat.end && now > *repeat.end) return std::optional<Time>();
  Time base = taken_slot ? std::max(now, *taken_slot) : now;
  if (repeat.cron.empty()) {
    double every = 0;
    const auto [end, problem] =
        std::from_chars(repeat.every.data(), repeat.every.data() + repeat.every.size(), every);
    if (problem != std::errc() || !(every >= 1) || every > 1e14)
      return Error{Errc::kInvalidArgument, "repeat.every: ms above 0, was " + json::quote(repeat.every)};
    const double slots = std::floor(static_cast<double>(to_ms(base)) / every);
    return std::optional(from_ms(static_cast<std::int64_t>(slots * every + every)));
  }
  if (repeat.start) base = std::max(base, *repeat.start);
  GAUR_TRY(const Cron cron, Cron::parse(repeat.cron));
  GAUR_TRY(const std::optional<Time> next, cron.next(base, repeat.time_zone));
  if (next && repeat.end && *next > *repeat.end) return std::optional<Time>();
  return next;
}

std::optional<KeyParts> parse_repeat_key(std::string_view key) {
  const auto parts = split(key, ':', 5);
  if (parts.size() < 4) return std::nullopt;
  KeyParts found{.name = parts[0], .job_id = parts[1], .time_zone = {}, .cron = {}, .every = {}, .end = {}};
  if (!parts[2].empty()) {
    std::int64_t ms = 0;
    const auto [end, problem] = std::from_chars(parts[2].data(), parts[2].data() + parts[2].size(), ms);
    if (problem != std::errc() || end != parts[2].data() + parts[2].size()) return std::nullopt;
    found.end = from_ms(ms);
  }
  if (parts.size() == 4) {
    found.every = parts[3];
  } else {
    found.time_zone = parts[3];
    found.cron = parts[4];
  }
  return found;
}

}  // namespace gaur::bull
