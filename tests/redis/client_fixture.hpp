#pragma once
// A client with a loop of its own, as in a host.
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "base/system_env.hpp"
#include "redis/connect.hpp"
#include "support/redis_server.hpp"

namespace gaur::redis {

constexpr Duration kPatience{10'000};

/// Collects log lines.
class Notes final : public LogSink {
 public:
  void write(const LogRecord& record) override {
    std::lock_guard lock(mutex_);
    text_ += format_log_text(record) + "\n";
  }
  std::string text() const {
    std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

struct ClientFixture {
  SystemClock clock;
  SystemRandom random;
  ThreadLoop loop{"test-loop"};
  Env env{clock, random, loop};
  std::shared_ptr<Notes> notes = std::make_shared<Notes>();

  std::unique_ptr<Client> connect(ClientOptions options) {
    options.log = Logger(notes, LogLevel::kDebug);
    return redis::connect(std::move(options), env);
  }
  std::unique_ptr<Client> connect(const test::RedisServer& server, ClientOptions options = {}) {
    options.endpoint.host = server.host();
    options.endpoint.port = server.port();
    return connect(std::move(options));
  }
  /// Until it is true; false: not within kPatience.
  bool wait_until(const std::function<bool()>& condition) const {
    const Instant end = clock.now() + kPatience;
    std::mutex mutex;
    std::condition_variable never;
    std::unique_lock lock(mutex);
    while (!condition()) {
      if (clock.now() > end) return false;
      never.wait_for(lock, Duration(2));
    }
    return true;
  }
};

inline std::string text_of(const Result<Reply>& reply) {
  if (!reply) return "error: " + std::string(to_string(reply.error().code)) + ": " + reply.error().message;
  if (const auto* text = reply->text()) return *text;
  if (const auto* number = reply->integer()) return std::to_string(*number);
  if (const auto* failure = reply->failure()) return "-" + failure->text;
  return reply->is_nil() ? "nil" : "?";
}

}  // namespace gaur::redis
