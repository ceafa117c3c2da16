#pragma once
// A real redis-server for tests: a process of its own on a free loopback port and on a Unix socket, in a
// folder of its own, always ended with the object. Failures to start end the test program with what the
// server said. Thread-safety: confined to one thread, which must outlive the server (it is killed when that
// thread ends).
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "redis/reply.hpp"
#include "support/held_port.hpp"

namespace gaur::test {

struct RedisServerOptions {
  /// With appendfsync always.
  bool appendonly = false;
  /// TLS on tls_port(), certificates by certificates().
  bool tls = false;
  /// Ask clients for a certificate of the same authority.
  bool tls_client_auth = false;
  /// Requirepass.
  std::string password = {};
  /// Users as in an ACL file: "worker on >secret ~* &* +@all".
  std::vector<std::string> acl = {};
  /// Further arguments: {"--maxmemory-policy", "allkeys-lru"}.
  std::vector<std::string> more = {};
};

/// Files in PEM. The server's certificate is for `localhost` and 127.0.0.1, `other_ca` is an authority that
/// signed nothing here.
struct Certificates {
  std::filesystem::path ca, server, server_key, client, client_key, other_ca;
};

class RedisServer {
 public:
  using Options = RedisServerOptions;

  explicit RedisServer(Options options = {});
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  /// 127.0.0.1.
  const std::string& host() const { return host_; }
  std::uint16_t port() const { return port_.number(); }
  std::uint16_t tls_port() const { return tls_port_.number(); }
  std::string unix_path() const { return (folder_ / "redis.sock").string(); }
  /// Redis://127.0.0.1:port.
  std::string url() const;
  const std::filesystem::path& folder() const { return folder_; }
  const Certificates& certificates() const { return certificates_; }
  pid_t pid() const { return pid_; }

  /// SIGKILL, and waits for the end; what is not in the append-only file is gone.
  void kill9();
  /// SIGTERM, and waits for the end.
  void shutdown();
  /// Starts again on the same port and folder after kill9() or shutdown(); waits until it answers.
  void restart();
  void sigstop();
  void sigcont();

  /// One command over the Unix socket, with the password, waited for: {"CONFIG", "SET", ...}. A failure to
  /// get an answer is a nil.
  redis::Reply call(const std::vector<std::string>& command) const;

 private:
  void make_certificates();
  std::vector<std::string> arguments() const;
  bool launch();
  bool wait_until_ready() const;

  Options options_;
  std::string host_ = "127.0.0.1";
  std::filesystem::path folder_;
  Certificates certificates_;
  HeldPort port_, tls_port_;
  pid_t pid_ = -1;
};

}  // namespace gaur::test
