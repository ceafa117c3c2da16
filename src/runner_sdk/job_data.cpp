#include "runner_sdk/job_data.hpp"

#include "base/raw_value.hpp"
#include "base/try.hpp"
#include "gaur/runner.hpp"

namespace gaur::runner_sdk {

namespace {

constexpr json::ParseLimits kFrameLimits{.max_bytes = std::size_t{8} << 20, .max_depth = json::kFrameDepth};

std::uint64_t whole(const json::Object& frame, std::string_view key) {
  const auto number = json::integer(frame, key).value_or(0);
  return number > 0 ? static_cast<std::uint64_t>(number) : 0;
}

}  // namespace

Result<JobData> JobData::read(std::string_view frame) {
  GAUR_TRY(json::Object object, json::parse_object(frame, kFrameLimits));
  GAUR_TRY(const auto members, json::members(frame, kFrameLimits));
  JobData job;
  job.run = json::text_or(object, "run", "");
  job.id = json::text_or(object, "id", "");
  job.queue = json::text_or(object, "queue", "");
  job.name = json::text_or(object, "name", "");
  job.function = json::text_or(object, "function", job.name);
  job.attempt = static_cast<std::uint32_t>(std::max<std::uint64_t>(1, whole(object, "attempt")));
  job.started = std::max<std::uint64_t>(1, whole(object, "started"));
  job.threads = static_cast<std::uint32_t>(whole(object, "threads"));
  job.memory_bytes = whole(object, "memory");
  job.timeout = Duration(static_cast<Duration::rep>(whole(object, "timeout_ms")));
  for (const auto& member : members) {
    if (member.key == "data") job.data = std::string(member.value);
  }
  if (json::Value* data = object.if_contains("data")) job.value = std::move(*data);
  return job;
}

}  // namespace gaur::runner_sdk

namespace gaur {

const std::string& JobView::id() const {
  return data_->id;
}
const std::string& JobView::queue() const {
  return data_->queue;
}
const std::string& JobView::name() const {
  return data_->name;
}
const std::string& JobView::function() const {
  return data_->function;
}
std::uint32_t JobView::attempt() const {
  return data_->attempt;
}
std::uint64_t JobView::started() const {
  return data_->started;
}
std::optional<Duration> JobView::timeout() const {
  return data_->timeout.count() > 0 ? std::optional(data_->timeout) : std::nullopt;
}
std::string_view JobView::data() const {
  return data_->data;
}

std::string JobView::json(std::string_view path) const {
  const auto value = json::RawValue(data_->data).find(path);  // with all digits
  return value ? value->text() : std::string();
}

std::optional<std::string> JobView::text(std::string_view path) const {
  const auto* value = json::find(data_->value, path);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string(value->as_string());
}

std::optional<std::int64_t> JobView::integer(std::string_view path) const {
  const auto* value = json::find(data_->value, path);
  return value == nullptr ? std::nullopt : json::integer(json::Object{{"n", *value}}, "n");
}

std::optional<double> JobView::number(std::string_view path) const {
  const auto* value = json::find(data_->value, path);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  return value->to_number<double>();
}

std::optional<bool> JobView::flag(std::string_view path) const {
  const auto* value = json::find(data_->value, path);
  if (value == nullptr || !value->is_bool()) return std::nullopt;
  return value->as_bool();
}

}  // namespace gaur
