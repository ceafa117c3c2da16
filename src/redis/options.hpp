#pragma once
// Address, credentials, timeouts and limits of a connection to Redis. Thread-safety: values.
#include <cstdint>
#include <string>

#include "base/log.hpp"
#include "gaur/names.hpp"
#include "redis/parser.hpp"

namespace gaur::redis {

struct TlsOptions {
  /// The server's certificate is always verified, with its name.
  bool on = false;
  /// PEM; empty: the system's authorities.
  std::string ca_file = {};
  /// PEM; the client certificate, if the server requires one.
  std::string cert_file = {};
  /// PEM; its key.
  std::string key_file = {};
  /// The name that the certificate must have; empty: the host.
  std::string server_name = {};
};

struct Endpoint {
  std::string host = "127.0.0.1";
  std::uint16_t port = 6379;
  /// 4 or 6: only addresses of that IP version; 0: either.
  std::uint8_t family = 0;
  /// If set, host, port and TLS are ignored.
  std::string unix_path = {};
  TlsOptions tls = {};
  /// ACL user; empty: the default user.
  std::string user = {};
  /// Empty: no AUTH.
  std::string password = {};
  std::uint32_t db = 0;
};

/// `redis://host:port/db` without user and password: for logs and errors.
std::string to_text(const Endpoint& endpoint);

/// The text as one word of a POSIX shell, quoted if necessary.
std::string shell_word(std::string_view text);
/// `redis-cli -h host -p port -n db`: the command line for this endpoint, with `--askpass` if it has a
/// password.
std::string cli_command(const Endpoint& endpoint);

/// How commands are handled while there is no connection.
enum class Away : std::uint8_t {
  /// They wait, up to `max_queued_bytes` and their deadline.
  kQueue,
  /// kDisconnected at once, except before the first connection was tried.
  kFailFast,
};

struct ClientOptions {
  Endpoint endpoint = {};
  /// CLIENT SETNAME; no spaces; empty: none.
  std::string client_name = "gaur";
  /// Of one attempt, including TLS and AUTH.
  Duration connect_timeout{3'000};
  /// From the call to the answer.
  Duration command_timeout{5'000};
  /// A connection with a pending reply is closed after this time without a received byte.
  Duration silence_timeout{5'000};
  /// PING after this time without a received byte; also TCP's own keepalive.
  Duration keepalive{10'000};
  /// Before the second attempt; doubled each time, with jitter.
  Duration backoff_min{25};
  Duration backoff_max{2'000};
  /// After a wrong password or certificate, which a fast retry does not fix.
  Duration refused_retry{5'000};
  Away away = Away::kQueue;
  /// Not yet handed to the socket.
  std::size_t max_queued_bytes = std::size_t{64} << 20U;
  /// Commands without an answer.
  std::size_t max_pending = 1'000'000;
  /// HELLO 3; off: RESP2, whose shapes are the same on every server since 5.0.
  bool resp3 = false;
  ParserLimits limits = {};
  Logger log = {};
};

}  // namespace gaur::redis
