#pragma once
// A connection to the configured Redis for commands that block and take no jobs.
#include <memory>
#include <string>

#include "app/config/config.hpp"
#include "base/system_env.hpp"
#include "redis/connect.hpp"
#include "redis/url.hpp"

namespace gaur::app {

/// Thread-safety: constructed and used on one thread, which may block on the client's futures.
class RedisAccess {
 public:
  /// Waits until the server answers. Errors: kInvalidArgument (the URL), kDisconnected, kPermission; each
  /// names the server without its password.
  static Result<std::unique_ptr<RedisAccess>> open(const Settings& settings, const RedisConfig& config);

  redis::Client& client() { return *client_; }
  Env env() { return Env{clock_, random_, *loop_}; }
  /// Blocks the calling thread.
  void pause(Duration duration);
  const std::string& prefix() const { return prefix_; }
  /// redis://host:port/db, without the password.
  const std::string& url() const { return url_; }

 private:
  RedisAccess() = default;
  SystemClock clock_;
  SystemRandom random_;
  std::string prefix_, url_;
  std::unique_ptr<ThreadLoop> loop_;
  std::unique_ptr<redis::Client> client_;  // destroyed before its loop
};

}  // namespace gaur::app
