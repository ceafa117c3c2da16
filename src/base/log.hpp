#pragma once
// Structured logging: a level, a short sentence and key=value fields on one line. Only log.cpp includes the
// library (spdlog). There is no global logger: main creates one and passes it on. A Logger is a cheap handle;
// a default-constructed one discards its lines.
//
//   log_.info("runner started", {{"pool", pool}, {"pid", pid}});
//   2026-11-22T09:30:00.123Z info  runner started pool=sql pid=4711
//
// Control characters of values are escaped, so that one call writes one line.
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gaur/names.hpp"

namespace gaur {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError, kOff };
/// "debug", "info", "warn", "error", "off".
std::string_view to_string(LogLevel level);
std::optional<LogLevel> parse_log_level(std::string_view text);

/// One key=value pair. Keys are snake_case literals that end with their unit ("wait_ms").
struct LogField {
  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  LogField(std::string_view k, bool v) : key(k), value(v ? "true" : "false"), quoted(false) {}
  LogField(std::string_view k, std::integral auto v) : key(k), value(std::to_string(v)), quoted(false) {}
  LogField(std::string_view k, double v);
  /// In ms.
  LogField(std::string_view k, Duration v) : key(k), value(std::to_string(v.count())), quoted(false) {}
  template <class Tag>
  LogField(std::string_view k, const Name<Tag>& v) : key(k), value(v.value) {}

  std::string key;
  /// Raw; escaped only when written.
  std::string value;
  /// JSON: a string; false for numbers and truth values.
  bool quoted = true;
};

struct LogRecord {
  LogLevel level = LogLevel::kInfo;
  std::string_view message;
  /// The logger's own first, then the call's.
  std::span<const LogField> fields;
};

/// Where lines go. Thread-safety: write() is called from any thread, several at a time.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void write(const LogRecord& record) = 0;
};

enum class LogFormat : std::uint8_t { kText, kJson };

/// `message key=value key="two words"`: what the text format writes after time and level.
std::string format_log_text(const LogRecord& record);
/// `"level":"info","message":"...","key":value`: the members of the JSON format after the time.
std::string format_log_json(const LogRecord& record);

/// Standard error, each line written at once; UTC times with milliseconds.
std::shared_ptr<LogSink> stderr_log_sink(LogFormat format = LogFormat::kText);

/// Thread-safety: a value; copies share the sink and may be used from any thread.
class Logger {
 public:
  using Fields = std::initializer_list<LogField>;

  /// Discards.
  Logger() = default;
  /// Lines below `level` are dropped.
  Logger(std::shared_ptr<LogSink> sink, LogLevel level);

  /// The same sink, these fields before those of every call.
  Logger with(Fields fields) const;

  /// Ask first where the fields are costly to make.
  bool enabled(LogLevel level) const { return sink_ != nullptr && level >= level_; }

  void debug(std::string_view message, Fields fields = {}) const { write(LogLevel::kDebug, message, fields); }
  void info(std::string_view message, Fields fields = {}) const { write(LogLevel::kInfo, message, fields); }
  void warn(std::string_view message, Fields fields = {}) const { write(LogLevel::kWarn, message, fields); }
  void error(std::string_view message, Fields fields = {}) const { write(LogLevel::kError, message, fields); }
  void write(LogLevel level, std::string_view message, Fields fields) const;

 private:
  std::shared_ptr<LogSink> sink_;  // shared: handles outlive no one in particular
  LogLevel level_ = LogLevel::kOff;
  std::vector<LogField> bound_;
};

}  // namespace gaur
