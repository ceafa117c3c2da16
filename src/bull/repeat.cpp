#include "bull/repeat.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "base/js_number.hpp"
#include "base/try.hpp"
#include "bull/dates.hpp"
#include "bull/job_codec.hpp"
#include "schedule/cron.hpp"

namespace gaur::bull {

namespace {

/// String(value) if the value is truthy, otherwise "".
std::string truthy_text(const json::Value* value) {
  if (value == nullptr) return {};
  if (value->is_string()) return std::string(value->get_string());
  if (value->is_bool()) return value->get_bool() ? "true" : "";
  if (!value->is_number()) return {};
  const auto number = value->to_number<double>();
  return number == 0 ? "" : js::to_text(number);
}

/// Number(value); NaN for objects and lists.
double number_of(const json::Value& value) {
  if (value.is_number()) return value.to_number<double>();
  if (value.is_string()) return js::to_number(std::string_view(value.get_string()));
  if (value.is_bool()) return value.get_bool() ? 1 : 0;
  return value.is_null() ? 0 : std::nan("");
}

std::optional<std::int64_t> whole(double number) {
  if (std::isnan(number)) return std::nullopt;
  return static_cast<std::int64_t>(std::clamp(std::floor(number), -9e15, 9e15));
}

/// The date of a value. As in JavaScript, a value that is not a date is no limit.
std::optional<Time> date_of(const json::Value* value, const schedule::Zone& local) {
  if (value == nullptr) return std::nullopt;
  const auto ms = whole(js_date(*value, local));
  return ms ? std::optional(from_ms(*ms)) : std::nullopt;
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

Slot::Slot(Time time) : Slot(static_cast<double>(to_ms(time))) {}
Slot::Slot(double milliseconds) : text(js::to_text(milliseconds)), ms(milliseconds) {}
Slot::Slot(std::string words) : text(std::move(words)), ms(js::to_number(text)), is_text(true) {}

Result<std::optional<Repeat>> repeat_of(const json::Object& options, const std::string& local_zone) {
  const json::Value* const value = options.if_contains("repeat");
  if (value == nullptr || value->is_null()) return std::optional<Repeat>();
  if (!value->is_object()) return Error{Errc::kInvalidArgument, "repeat: must be an object"};
  const json::Object& from = value->get_object();
  GAUR_TRY(const schedule::Zone local, schedule::Zone::find(local_zone));
  const auto at = [&](std::string_view key) { return from.if_contains(key); };
  Repeat repeat;
  repeat.local_zone = local_zone;
  repeat.cron = truthy_text(at("cron"));
  repeat.every = truthy_text(at("every"));
  repeat.every_is_text = at("every") != nullptr && at("every")->is_string();
  repeat.time_zone = truthy_text(at("tz"));
  if (at("tz") != nullptr && at("tz")->is_number()) repeat.zone_minutes = number_of(*at("tz"));
  if (!truthy_text(at("utc")).empty())
    repeat.zone_minutes = 0;  // cron-parser's option has precedence over tz
  repeat.job_id = truthy_text(at("jobId"));
  repeat.key = truthy_text(at("key"));
  if (at("limit") != nullptr) repeat.limit = whole(number_of(*at("limit")));
  if (at("count") != nullptr) repeat.count = whole(number_of(*at("count"))).value_or(0);
  if (at("nthDayOfWeek") != nullptr) repeat.nth_weekday = number_of(*at("nthDayOfWeek"));
  repeat.end = date_of(at("endDate"), local);
  if (!truthy_text(at("startDate")).empty()) {
    repeat.start = date_of(at("startDate"), local);
    repeat.start_value = *at("startDate");
  }
  if (!truthy_text(at("endDate")).empty()) repeat.end_value = *at("endDate");
  if (repeat.cron.empty() == repeat.every.empty())
    return Error{Errc::kInvalidArgument, "repeat: either cron or every must be given"};
  return std::optional(std::move(repeat));
}

std::string repeat_key(std::string_view name, const Repeat& repeat) {
  std::string end;
  if (repeat.end) {
    end = std::to_string(to_ms(*repeat.end));
  } else if (!repeat.end_value.is_null()) {
    end = "NaN";  // an invalid date, as JavaScript prints it
  }
  const std::string suffix =
      repeat.cron.empty() ? repeat.every : fmt::format("{}:{}", repeat.time_zone, repeat.cron);
  return fmt::format("{}:{}:{}:{}", name, repeat.job_id, end, suffix);
}

std::string repeat_hash(std::string_view name, std::string_view job_id, std::string_view key) {
  return md5_hex(fmt::format("{}{}:{}", name, job_id, md5_hex(key)));
}

JobId iteration_id(std::string_view name, const Repeat& repeat, std::string_view key, const Slot& slot) {
  return JobId(fmt::format("repeat:{}:{}", repeat_hash(name, repeat.job_id, key), slot.text));
}

std::optional<Slot> taken_slot_of(const json::Object& options) {
  const json::Value* const value = options.if_contains("prevMillis");
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return Slot(std::string(value->get_string()));
  const double ms = number_of(*value);
  return std::isnan(ms) || ms == 0 ? std::nullopt : std::optional(Slot(ms));
}

namespace {

Result<std::optional<Slot>> next_of_every(const Repeat& repeat, double base_ms) {
  // true counts as 1.
  const bool flag = repeat.every == "true" && !repeat.every_is_text;
  const double every = flag ? 1 : js::to_number(repeat.every);
  const double slots = std::floor(base_ms / every) * every;
  if (!std::isfinite(slots))
    return Error{Errc::kInvalidArgument,
                 "repeat.every: a number of ms above 0 is needed, was " + json::quote(repeat.every)};
  const Slot next = repeat.every_is_text ? Slot(js::to_text(slots) + repeat.every) : Slot(slots + every);
  if (!(next.ms > 0))
    return Error{Errc::kInvalidArgument, "repeat.every: leads to no time, was " + json::quote(repeat.every)};
  return std::optional(next);
}

/// A date as cron-parser reads it. It rejects the whole schedule if the value is not a date.
Result<std::optional<Time>> cron_date(std::string_view key, const json::Value& value,
                                      const schedule::Zone& zone, Time now) {
  if (value.is_null()) return std::optional<Time>();
  const auto ms = luxon_date(value, zone, to_ms(now));
  if (!ms) {
    return Error{
        Errc::kInvalidArgument,
        fmt::format("repeat.{}: a cron schedule takes ms or a text like \"2026-12-01T00:00:00Z\", was {}",
                    key, json::serialize(value))};
  }
  return std::optional(from_ms(*whole(*ms)));
}

Result<schedule::Zone> zone_of(const Repeat& repeat) {
  if (repeat.zone_minutes) return schedule::Zone::fixed(static_cast<std::int64_t>(*repeat.zone_minutes * 60));
  return schedule::Zone::find(repeat.time_zone.empty() ? repeat.local_zone : repeat.time_zone);
}

Result<std::optional<Slot>> next_of_cron(const Repeat& repeat, double base_ms, Time now) {
  GAUR_TRY(schedule::Cron cron, schedule::Cron::parse(repeat.cron));
  cron.set_nth_weekday(repeat.nth_weekday);
  GAUR_TRY(const schedule::Zone zone, zone_of(repeat));
  GAUR_CHECK(cron_date("startDate", repeat.start_value, zone, now));
  GAUR_TRY(std::optional<Time> end, cron_date("endDate", repeat.end_value, zone, now));
  if (repeat.end_value.is_null()) end = repeat.end;
  Time base = from_ms(whole(base_ms).value_or(0));
  if (repeat.start) base = std::max(base, *repeat.start);
  const auto next = cron.next(base, zone, end);
  return next ? std::optional(Slot(*next)) : std::nullopt;
}

}  // namespace

Result<std::optional<Slot>> next_slot(const Repeat& repeat, Time now, const std::optional<Slot>& taken_slot) {
  if (repeat.limit && repeat.count + 1 > *repeat.limit) return std::optional<Slot>();
  if (repeat.end && now > *repeat.end) return std::optional<Slot>();
  double base_ms = static_cast<double>(to_ms(now));
  if (taken_slot && !(taken_slot->ms < base_ms)) base_ms = taken_slot->ms;
  return repeat.cron.empty() ? next_of_every(repeat, base_ms) : next_of_cron(repeat, base_ms, now);
}

std::optional<std::string> unreadable_schedule(std::string_view options, Time now) {
  const json::Object object = options_object(options);
  const auto repeat = repeat_of(object);
  if (!repeat) return repeat.error().message;
  if (!*repeat) return "the options of its run say nothing of repeating";
  const auto next = next_slot(**repeat, now, taken_slot_of(object));
  return next ? std::nullopt : std::optional(next.error().message);
}

std::optional<KeyParts> parse_repeat_key(std::string_view key) {
  const auto parts = split(key, ':', 5);
  if (parts.size() < 4) return std::nullopt;
  KeyParts found{.name = parts[0], .job_id = parts[1], .time_zone = {}, .cron = {}, .every = {}, .end = {}};
  if (!parts[2].empty()) {
    std::int64_t ms = 0;
    const auto [end, problem] = std::from_chars(parts[2].data(), parts[2].data() + parts[2].size(), ms);
    // "NaN": the end is an invalid date, which is never reached.
    if (problem == std::errc() && end == parts[2].data() + parts[2].size()) found.end = from_ms(ms);
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
