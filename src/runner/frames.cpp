#include "runner/frames.hpp"

#include <fmt/format.h>

#include "base/json_text.hpp"
#include "base/json_writer.hpp"
#include "base/try.hpp"

namespace gaur {

void LineSplitter::feed(std::string_view bytes) {
  if (too_long_) return;
  if (start_ > 0 && start_ == buffer_.size()) {
    buffer_.clear();
    scanned_ = start_ = 0;
    if (buffer_.capacity() > (std::size_t{256} << 10)) buffer_.shrink_to_fit();  // large frames are rare
  } else if (start_ > (std::size_t{64} << 10)) {
    buffer_.erase(0, start_);
    scanned_ -= start_;
    start_ = 0;
  }
  buffer_.append(bytes);
}

std::optional<std::string_view> LineSplitter::next() {
  if (too_long_) return std::nullopt;
  const std::size_t newline = buffer_.find('\n', scanned_);
  const std::size_t end = newline == std::string::npos ? buffer_.size() : newline + 1;
  if (end - start_ > max_bytes_) {
    too_long_ = true;
    return std::nullopt;
  }
  if (newline == std::string::npos) {
    scanned_ = buffer_.size();
    return std::nullopt;
  }
  const std::string_view line = std::string_view(buffer_).substr(start_, newline - start_);
  scanned_ = start_ = newline + 1;
  return line;
}

namespace {

using Members = std::vector<json::Member>;

/// Reads the members of one frame and records the first problem.
class Fields {
 public:
  Fields(std::string_view type, const Members& members) : type_(type), members_(members) {}

  /// The last member of a name counts, as in JSON libraries.
  std::optional<std::string_view> raw(std::string_view key) const {
    for (auto it = members_.rbegin(); it != members_.rend(); ++it) {
      if (it->key == key && it->value != "null") return it->value;
    }
    return std::nullopt;
  }
  std::string raw_or(std::string_view key, std::string_view default_value) const {
    return std::string(raw(key).value_or(default_value));
  }
  std::string text(std::string_view key) {
    const auto value = raw(key);
    if (!value) return missing(key);
    return text_of(key, *value);
  }
  std::string text_or(std::string_view key, std::string_view default_value) {
    const auto value = raw(key);
    return value ? text_of(key, *value) : std::string(default_value);
  }
  bool flag(std::string_view key) {
    const auto value = raw(key);
    if (!value || *value == "false") return false;
    if (*value != "true") wrong(key, "true or false");
    return true;
  }
  /// A whole number of at least 0.
  std::uint64_t number_or(std::string_view key, std::uint64_t default_value) {
    const auto value = raw(key);
    if (!value) return default_value;
    const auto parsed = json::parse(*value);
    const auto number = parsed ? json::whole_number(*parsed) : std::nullopt;
    if (!number || *number < 0) {
      wrong(key, "a whole number of at least 0");
      return default_value;
    }
    return static_cast<std::uint64_t>(*number);
  }
  /// An object as raw text, or "".
  std::string object(std::string_view key, std::size_t max_bytes) {
    const auto value = raw(key);
    if (!value) return {};
    if (value->front() != '{') return wrong(key, "an object");
    if (value->size() > max_bytes) return wrong(key, fmt::format("at most {} bytes", max_bytes));
    return json::one_line(*value);
  }
  std::string wrong(std::string_view key, std::string_view rule) {
    if (problem_.empty()) problem_ = fmt::format("`{}` of a `{}` frame must be {}", key, type_, rule);
    return {};
  }
  const std::string& problem() const { return problem_; }

 private:
  std::string missing(std::string_view key) {
    if (problem_.empty()) problem_ = fmt::format("a `{}` frame needs `{}`", type_, key);
    return {};
  }
  std::string text_of(std::string_view key, std::string_view value) {
    auto text = json::unquote(value);
    if (!text) return wrong(key, "a string");
    return *std::move(text);
  }

  std::string type_;
  const Members& members_;
  std::string problem_;
};

Usage read_usage(Fields& fields) {
  Usage usage;
  const std::string text = fields.object("usage", kMaxDetailsBytes + 1024);
  if (text.empty()) return usage;
  const auto members = json::members(text);
  if (!members) return usage;  // unreachable: the frame was parsed before
  Fields inner("usage", *members);
  usage.cpu_us = inner.number_or("cpu_us", 0);
  usage.peak_rss_bytes = inner.number_or("peak_rss_bytes", 0);
  usage.details = inner.object("details", kMaxDetailsBytes);
  if (!inner.problem().empty()) fields.wrong("usage", fmt::format("right: {}", inner.problem()));
  return usage;
}

std::optional<results::RunnerFile> read_file(Fields& fields) {
  const std::string text = fields.object("file", 4096);
  if (text.empty()) return std::nullopt;
  const auto members = json::members(text);
  if (!members) return std::nullopt;
  Fields inner("file", *members);
  results::RunnerFile file;
  file.name = inner.text("name");
  file.format = inner.text("format");
  file.rows = inner.number_or("rows", 0);
  if (!inner.problem().empty()) fields.wrong("file", fmt::format("right: {}", inner.problem()));
  return file;
}

frame::Failed read_failed(Fields& fields) {
  frame::Failed failed;
  failed.run = fields.text("run");
  failed.failure.message = fields.text("message");
  failed.failure.code = fields.text_or("code", "error");
  failed.failure.stack = fields.text_or("stack", "");
  failed.failure.details = fields.object("details", kMaxDetailsBytes);
  failed.final = fields.flag("final");
  failed.usage = read_usage(fields);
  failed.last = fields.flag("last");
  return failed;
}

RunnerFrame read_frame(const std::string& type, Fields& fields) {
  if (type == "completed") {
    frame::Completed completed;
    completed.run = fields.text("run");
    completed.result = fields.raw_or("result", "null");
    completed.file = read_file(fields);
    completed.usage = read_usage(fields);
    completed.last = fields.flag("last");
    return completed;
  }
  if (type == "failed") return read_failed(fields);
  if (type == "progress") return frame::Progress{fields.text("run"), fields.raw_or("value", "null")};
  if (type == "log") return frame::Log{fields.text("run"), fields.text("line")};
  if (type == "snooze") {
    frame::Snooze snooze;
    snooze.run = fields.text("run");
    constexpr std::uint64_t kTenYears = 315'360'000'000;
    snooze.delay = Duration(static_cast<std::int64_t>(std::min(fields.number_or("delay_ms", 0), kTenYears)));
    snooze.message = fields.text_or("message", "");
    snooze.usage = read_usage(fields);
    snooze.last = fields.flag("last");
    return snooze;
  }
  if (type == "ready") {
    return frame::Ready{static_cast<std::int64_t>(fields.number_or("protocol", 1)),
                        fields.text_or("name", "")};
  }
  return frame::Unknown{type};
}

}  // namespace

Result<RunnerFrame> parse_frame(std::string_view line) {
  json::ParseLimits limits;
  limits.max_bytes = kMaxFrameBytes;
  limits.max_depth = json::kFrameDepth;
  GAUR_TRY(const Members members, json::members(line, limits));
  Fields any("any", members);
  const std::string type = any.text("type");
  if (!any.problem().empty()) return Error{Errc::kInvalidArgument, "a frame needs `type`, a string"};
  Fields fields(type, members);
  RunnerFrame frame = read_frame(type, fields);
  if (!fields.problem().empty()) return Error{Errc::kInvalidArgument, fields.problem()};
  return frame;
}

const std::string* run_of(const RunnerFrame& frame) {
  return std::visit(
      [](const auto& kind) -> const std::string* {
        if constexpr (requires { kind.run; }) return &kind.run;
        return nullptr;
      },
      frame);
}

Result<std::string> run_frame(const RunRequest& request) {
  const Job& job = request.taken.job;
  const auto data = json::Fragment::read(job.data.empty() ? "null" : job.data);
  if (!data) return data.error().in("the job's data cannot be read");
  std::string out;
  out.reserve(job.data.size() + 512);
  json::ObjectWriter frame(out);
  frame.text("type", "run").text("run", request.taken.token.value).text("queue", job.queue.value);
  frame.text("id", job.id.value).text("name", job.name).text("function", request.taken.function.value);
  frame.number("attempt", job.attempts_made + 1).number("started", job.attempts_started);
  frame.number("threads", request.grant.threads).number("memory", request.grant.memory_bytes);
  frame.number("timeout_ms", request.timeout ? request.timeout->count() : 0).json("data", *data);
  frame.end();
  out += '\n';
  if (out.size() > kMaxFrameBytes) {
    return Error{Errc::kTooLarge,
                 fmt::format("the job's data has {} bytes; a `run` frame has at most {} bytes",
                             job.data.size(), kMaxFrameBytes)};
  }
  return out;
}

std::string cancel_frame(const LockToken& run, std::string_view reason, std::string_view message) {
  return json::object([&](json::ObjectWriter& frame) {
           frame.text("type", "cancel")
               .text("run", run.value)
               .text("reason", reason)
               .text("message", message);
         }) +
         "\n";
}

std::string stop_frame() {
  return json::object([](json::ObjectWriter& frame) { frame.text("type", "stop"); }) + "\n";
}

std::string_view to_string(StopReason reason) {
  switch (reason) {
    case StopReason::kCancel: return "cancel";
    case StopReason::kTimeout: return "timeout";
    case StopReason::kLockLost: return "lock_lost";
    case StopReason::kHostStops: return "stop";
  }
  return "cancel";
}

}  // namespace gaur
