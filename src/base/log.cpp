#include "base/log.hpp"

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "base/json.hpp"

namespace gaur {

namespace {

/// A value that needs no quotes: visible ASCII without quote, backslash or '='.
bool is_plain(std::string_view value) {
  if (value.empty()) return false;
  return std::all_of(value.begin(), value.end(),
                     [](char c) { return c > ' ' && c < 0x7F && c != '"' && c != '\\' && c != '='; });
}

/// The text with control characters and invalid UTF-8 escaped, without quotes.
std::string escaped(std::string_view text) {
  const std::string quoted = json::quote(text);
  return quoted.substr(1, quoted.size() - 2);
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarn: return spdlog::level::warn;
    case LogLevel::kError: return spdlog::level::err;
    case LogLevel::kOff: return spdlog::level::off;
  }
  return spdlog::level::err;
}

class StderrSink final : public LogSink {
 public:
  explicit StderrSink(LogFormat format) : format_(format) {
    const char* pattern =
        format == LogFormat::kJson ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ",%v})" : "%Y-%m-%dT%H:%M:%S.%eZ %v";
    sink_.set_formatter(std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc));
  }

  void write(const LogRecord& record) override {
    const std::string text = format_ == LogFormat::kJson
                                 ? format_log_json(record)
                                 : fmt::format("{:<5} {}", to_string(record.level), format_log_text(record));
    sink_.log(spdlog::details::log_msg("", spdlog_level(record.level), text));
  }

 private:
  LogFormat format_;
  spdlog::sinks::stderr_sink_mt sink_;  // locks, and flushes after each line
};

}  // namespace

std::string_view to_string(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return "debug";
    case LogLevel::kInfo: return "info";
    case LogLevel::kWarn: return "warn";
    case LogLevel::kError: return "error";
    case LogLevel::kOff: return "off";
  }
  return "off";
}

std::optional<LogLevel> parse_log_level(std::string_view text) {
  for (const LogLevel level :
       {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError, LogLevel::kOff}) {
    if (text == to_string(level)) return level;
  }
  return std::nullopt;
}

LogField::LogField(std::string_view k, double v)
    : key(k), value(fmt::format("{}", v)), quoted(!std::isfinite(v)) {}  // JSON has no inf and nan

std::string format_log_text(const LogRecord& record) {
  std::string line = escaped(record.message);
  for (const LogField& field : record.fields) {
    line += fmt::format(" {}={}", escaped(field.key),
                        is_plain(field.value) ? field.value : json::quote(field.value));
  }
  return line;
}

std::string format_log_json(const LogRecord& record) {
  std::string line =
      fmt::format(R"("level":"{}","message":{})", to_string(record.level), json::quote(record.message));
  for (const LogField& field : record.fields) {
    line +=
        fmt::format(",{}:{}", json::quote(field.key), field.quoted ? json::quote(field.value) : field.value);
  }
  return line;
}

std::shared_ptr<LogSink> stderr_log_sink(LogFormat format) {
  return std::make_shared<StderrSink>(format);
}

Logger::Logger(std::shared_ptr<LogSink> sink, LogLevel level) : sink_(std::move(sink)), level_(level) {}

Logger Logger::with(Fields fields) const {
  Logger copy = *this;
  if (sink_ != nullptr) copy.bound_.insert(copy.bound_.end(), fields.begin(), fields.end());
  return copy;
}

void Logger::write(LogLevel level, std::string_view message, Fields fields) const {
  if (!enabled(level)) return;
  if (bound_.empty()) {
    sink_->write({level, message, {fields.begin(), fields.size()}});
    return;
  }
  std::vector<LogField> all = bound_;
  all.insert(all.end(), fields.begin(), fields.end());
  sink_->write({level, message, all});
}

}  // namespace gaur
