#include "bull/job_codec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/json_text.hpp"
#include "base/json_writer.hpp"
#include "base/raw_value.hpp"
#include "base/unicode.hpp"
#include "core/result_json.hpp"
#include "redis_store/replies.hpp"

namespace gaur::bull {
namespace {

using redis_store::whole_number;

constexpr std::string_view kDefaultName = "__default__";
constexpr double kMostMs = 9e15;  // whole numbers are exact up to 2^53

std::string retention_to_json(const Retention& keep) {
  if (!keep.count && !keep.age) return "false";
  if (keep.count && !keep.age) return *keep.count == 0 ? "true" : std::to_string(*keep.count);
  return json::object([&](json::ObjectWriter& out) {
    out.number("age", keep.age->count());
    if (keep.count) out.number("count", *keep.count);
  });
}

void write_backoff(json::ObjectWriter& out, const Backoff& backoff) {
  out.object("backoff", [&](json::ObjectWriter& inner) {
    inner.text("type", backoff.kind == Backoff::Kind::kFixed ? "fixed" : "exponential");
    inner.number("delay", backoff.delay.count());
    if (backoff.jitter > 0) inner.raw("jitter", fmt::format("{:.6f}", backoff.jitter));
  });
}

std::optional<double> number_of(const json::Value* value) {
  if (value == nullptr) return std::nullopt;
  if (value->is_int64()) return static_cast<double>(value->get_int64());
  if (value->is_uint64()) return static_cast<double>(value->get_uint64());
  if (value->is_double()) return value->get_double();
  if (!value->is_string()) return std::nullopt;
  const std::string_view text = value->get_string();
  double number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Rounded down and limited to the range of T; nothing if it is not a number.
template <class T>
std::optional<T> whole(const json::Value* value) {
  const auto number = number_of(value);
  if (!number || std::isnan(*number)) return std::nullopt;
  const double most = std::min(kMostMs, static_cast<double>(std::numeric_limits<T>::max()));
  const double least = std::numeric_limits<T>::is_signed ? -most : 0.0;
  return static_cast<T>(std::clamp(std::floor(*number), least, most));
}

std::optional<Retention> retention_of(const json::Value* value) {
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (value->is_bool()) return value->get_bool() ? Retention{.count = 0} : Retention{};
  if (const auto count = number_of(value))
    return *count < 0 ? Retention{} : Retention{.count = whole<std::uint64_t>(value)};
  if (!value->is_object()) return Retention{.count = 0};  // Bull: any other truthy value removes
  const json::Object& object = value->get_object();
  Retention keep;
  if (const auto count = number_of(object.if_contains("count")); count && *count >= 0)
    keep.count = whole<std::uint64_t>(object.if_contains("count"));
  if (const auto age = whole<std::int64_t>(object.if_contains("age"))) keep.age = std::chrono::seconds(*age);
  return keep;
}

Backoff backoff_of(const json::Value* value) {
  Backoff backoff;
  if (const auto plain = number_of(value)) {
    backoff.delay = Duration(whole<std::int64_t>(value).value_or(0));
    return backoff;
  }
  if (value == nullptr || !value->is_object()) return backoff;
  const json::Object& object = value->get_object();
  if (json::text_or(object, "type", "fixed") == "exponential") backoff.kind = Backoff::Kind::kExponential;
  backoff.delay =
      Duration(std::max<std::int64_t>(whole<std::int64_t>(object.if_contains("delay")).value_or(0), 0));
  backoff.jitter = std::clamp(number_of(object.if_contains("jitter")).value_or(0.0), 0.0, 1.0);
  return backoff;
}

std::optional<JobId> own_id(const json::Value* value) {
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) {
    if (value->get_string().empty()) return std::nullopt;
    return JobId(std::string(std::string_view(value->get_string())));
  }
  if (const auto number = number_of(value)) return JobId(json::RawValue::of(*value).text());
  return std::nullopt;
}

/// Like Node: bytes that are not UTF-8 are read as U+FFFD.
Result<json::Value> parse_stored(std::string_view bytes) {
  return json::parse(unicode::is_utf8(bytes) ? std::string(bytes) : unicode::to_utf8(bytes),
                     json::kPeerLimits);
}

std::vector<std::string> texts_of(std::string_view array) {
  std::vector<std::string> texts;
  const auto parsed = parse_stored(array);
  if (!parsed || !parsed->is_array()) return texts;
  for (const json::Value& one : parsed->get_array())
    texts.emplace_back(one.is_string() ? std::string(std::string_view(one.get_string()))
                                       : json::serialize(one));
  return texts;
}

/// `data` as Bull reads it ("" is {}). Text that is not JSON becomes a JSON string with data_invalid.
void read_data(const std::string& stored, Job& job) {
  if (stored.empty()) return;
  auto data = json::Fragment::read(stored);
  if (!data) job.data_invalid = data.error().message;
  job.data = data ? std::move(*data).take() : json::quote(stored);
}

std::string utf8(const std::string& stored) {
  return unicode::is_utf8(stored) ? stored : unicode::to_utf8(stored);
}

}  // namespace

std::string options_to_json(const JobOptions& options) {
  std::string text;
  json::ObjectWriter out(text);
  out.number("attempts", std::max(options.attempts, 1U)).number("delay", options.delay.count());
  if (options.timestamp) out.number("timestamp", to_ms(*options.timestamp));
  if (options.id) out.text("jobId", options.id->value);
  if (options.priority > 0) out.number("priority", options.priority);
  if (options.lifo) out.flag("lifo", true);
  if (options.backoff != Backoff{}) write_backoff(out, options.backoff);
  if (options.timeout) out.number("timeout", options.timeout->count());
  if (options.on_complete) out.raw("removeOnComplete", retention_to_json(*options.on_complete));
  if (options.on_fail) out.raw("removeOnFail", retention_to_json(*options.on_fail));
  const JobOptions defaults;
  if (options.stack_trace_limit != defaults.stack_trace_limit)
    out.number("stackTraceLimit", options.stack_trace_limit);
  if (options.keep_logs != defaults.keep_logs) out.number("keepLogs", options.keep_logs);
  if (options.queue_timeout) out.number("queueTimeout", options.queue_timeout->count());
  if (const auto& dedup = options.deduplication) {
    out.object("debounce", [&](json::ObjectWriter& inner) {
      inner.text("id", dedup->id);
      if (dedup->ttl > Duration{0}) inner.number("ttl", dedup->ttl.count());
    });
  }
  out.end();
  return text;
}

json::Object options_object(std::string_view text) {
  auto parsed = parse_stored(text);
  if (!parsed || !parsed->is_object()) return {};
  return std::move(parsed->get_object());
}

JobOptions options_from_json(std::string_view text) {
  const json::Object object = options_object(text);
  const auto at = [&](std::string_view key) { return object.if_contains(key); };
  const auto positive = [&](std::string_view key) -> std::optional<Duration> {
    const auto ms = whole<std::int64_t>(at(key));
    return ms && *ms > 0 ? std::optional(Duration(*ms)) : std::nullopt;
  };
  JobOptions options;
  options.id = own_id(at("jobId"));
  options.delay = positive("delay").value_or(Duration{0});
  options.priority = whole<std::uint32_t>(at("priority")).value_or(0);
  if (const json::Value* lifo = at("lifo"); lifo != nullptr && lifo->is_bool())
    options.lifo = lifo->get_bool();
  options.attempts = std::max(whole<std::uint32_t>(at("attempts")).value_or(1), 1U);
  options.backoff = backoff_of(at("backoff"));
  if (const auto ms = whole<std::int64_t>(at("timestamp"))) options.timestamp = from_ms(*ms);
  options.on_complete = retention_of(at("removeOnComplete"));
  options.on_fail = retention_of(at("removeOnFail"));
  options.timeout = positive("timeout");
  if (const auto ms = whole<std::int64_t>(at("queueTimeout"))) options.queue_timeout = Duration(*ms);
  options.keep_logs = whole<std::uint32_t>(at("keepLogs")).value_or(options.keep_logs);
  options.stack_trace_limit = whole<std::uint32_t>(at("stackTraceLimit")).value_or(options.stack_trace_limit);
  if (const json::Value* debounce = at("debounce"); debounce != nullptr && debounce->is_object()) {
    const json::Object& inner = debounce->get_object();
    const auto ttl = whole<std::int64_t>(inner.if_contains("ttl"));
    options.deduplication =
        Deduplication{.id = json::text_or(inner, "id", ""), .ttl = Duration(ttl.value_or(0))};
  }
  return options;
}

Job job_from_hash(const QueueName& queue, const JobId& id, const redis::Reply::Array& fields,
                  const redis_store::JobPlacement& placement) {
  Job job;
  job.queue = queue;
  job.id = id;
  job.name = kDefaultName;
  job.data = "{}";
  job.options.attempts = 1;
  std::string failed_reason;
  bool failed_once = false;
  const auto small = [](std::string_view text) {
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(whole_number(text), 0, 0xFFFF'FFFF));
  };
  for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
    const std::string* name = fields[i].text();
    const std::string* value = fields[i + 1].text();
    if (name == nullptr || value == nullptr) continue;
    if (*name == "name")
      job.name = value->empty() ? kDefaultName : utf8(*value);
    else if (*name == "data")
      read_data(*value, job);
    else if (*name == "opts")
      job.options = options_from_json(*value);
    else if (*name == "timestamp")
      job.timestamp = from_ms(whole_number(*value));
    else if (*name == "delay")
      job.delay = Duration(std::max<std::int64_t>(whole_number(*value), 0));
    else if (*name == "priority")
      job.priority = small(*value);
    else if (*name == "attemptsMade")
      job.attempts_made = small(*value);
    else if (*name == "stalledCounter")
      job.stalled = small(*value);
    else if (*name == "progress")
      job.progress = value->empty() ? "" : json::Fragment::read_or_quote(*value).take();
    else if (*name == "returnvalue")
      set_result(job, value->empty() ? "" : json::Fragment::read_or_quote(*value).take());
    else if (*name == "stacktrace")
      job.stacktrace = texts_of(*value);
    else if (*name == "processedOn")
      job.processed_on = from_ms(whole_number(*value));
    else if (*name == "finishedOn")
      job.finished_on = from_ms(whole_number(*value));
    else if (*name == "failedReason")
      failed_reason = utf8(*value), failed_once = true;
  }
  if (failed_once) {
    job.failure = Failure{.message = std::move(failed_reason)};
    if (!job.stacktrace.empty()) job.failure->stack = job.stacktrace.back();
  }
  job.state = placement.state;
  const bool counted_run = job.state == State::kActive || job.state == State::kCompleted;
  job.attempts_started = job.attempts_made + job.stalled +
                         static_cast<std::uint32_t>(placement.uncounted_starts) + (counted_run ? 1 : 0);
  if (job.state == State::kCompleted) ++job.attempts_made;
  if (job.state != State::kCompleted) set_result(job, "");
  if (job.state == State::kDelayed) job.due = placement.due;
  return job;
}

std::string finish_payload(const JobId& id, std::string_view value) {
  std::string text;
  text.reserve(id.value.size() + value.size() + 64);
  json::ObjectWriter out(text);
  out.text("jobId", id.value).text("val", value).end();
  return text;
}

std::string progress_payload(const JobId& id, std::string_view progress) {
  return json::object(
      [&](json::ObjectWriter& out) { out.text("jobId", id.value).raw("progress", progress); });
}

}  // namespace gaur::bull
