#pragma once
// A connection to the configured Redis for commands that look and leave: they block, and hold nothing.
#include <memory>
#include <string>

#include "app/config/config.hpp"
#include "base/system_env.hpp"
#include "redis/connect.hpp"
#include "redis/url.hpp"

namespace gaur::app {

/// Thread-safety: made and used on one thread; the client's futures may be waited for there.
class RedisAccess {
 public:
  /// Waits until the server answers. Errors: kInvalidArgument (the URL), kDisconnected, kPermission, each
  /// naming the server without its password.
  static Result<std::unique_ptr<RedisAccess>> open(const Settings& settings, const RedisConfig& config);

  redis::Client& client() { return *client_; }
  Env env() { return Env{clock_, random_, *loop_}; }
  void pause(Duration duration);  ///< the calling thread waits
  const std::string& prefix() const { return prefix_; }
  const std::string& shown() const { return shown_; }  ///< redis://host:port/db

 private:
  RedisAccess() = default;
  SystemClock clock_;
  SystemRandom random_;
  std::string prefix_, shown_;
  std::unique_ptr<ThreadLoop> loop_;
  std::unique_ptr<redis::Client> client_;  // goes before its loop
};

}  // namespace gaur::app
