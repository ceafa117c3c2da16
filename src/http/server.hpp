#pragma once
// The HTTP server: one thread, many connections, limits for every size and every wait.
// docs/reference/http-api.md describes the API.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/env.hpp"
#include "base/log.hpp"
#include "gaur/client.hpp"
#include "gaur/host.hpp"
#include "gaur/result_files.hpp"
#include "http/access.hpp"
#include "http/tls_files.hpp"

namespace gaur {

/// Limits of one server. Sizes in bytes.
struct HttpLimits {
  /// 414
  std::size_t request_line = 8 << 10;
  /// All header lines together: 431.
  std::size_t headers = 16 << 10;
  /// 431
  std::size_t header_lines = 100;
  /// 413. One job's data has its own limit (gaur::Limits).
  std::size_t body = 8 << 20;
  /// Of all bodies being received at the same time: 503.
  std::size_t body_memory = 64 << 20;
  /// A further one is answered 503 and closed, except for GET /healthz.
  std::uint32_t connections = 1'024;
  /// The same, from one address (of IPv6: from one /64 network) that is not a trusted proxy.
  std::uint32_t connections_per_address = 512;
  /// From the first byte (or the accept) to the end of the headers: 408.
  Duration header_deadline{10'000};
  /// For all of the body: 408.
  Duration body_deadline{30'000};
  /// Without progress while a response is written: closed.
  Duration write_deadline{30'000};
  /// Between requests: closed.
  Duration idle_deadline{75'000};
  /// Of ?wait=; more is rejected.
  Duration longest_wait{60'000};
  /// Requests that wait at the same time; a further one gets 429.
  std::uint32_t waits = 512;
  /// Wrong tokens per minute and address; a further request gets 429.
  std::uint32_t wrong_tokens = 10;
  std::uint64_t requests_a_connection = 1'000'000;
};

struct ServerOptions {
  /// "address:port"; port 0: any free one; IPv6 as "[::1]:8378".
  std::string listen = "127.0.0.1:8378";
  /// A token with all rights, named "server.token"; "": none.
  std::string token;
  /// Further tokens. With no token at all the server listens only on loopback addresses.
  std::vector<http::TokenGrant> tokens;
  /// Without files: plain HTTP.
  http::TlsFiles tls;
  /// Receives the audit log.
  Logger log;
  /// Further names that a Host header may have when there is no token.
  std::vector<std::string> hosts;
  HttpLimits limits;
  /// Proxies whose X-Forwarded-For is trusted, as plain addresses. Wrong tokens are counted by the client's.
  std::vector<std::string> trusted_proxies;
  /// "/gaur" if a proxy publishes the API below that path. Every URL in a response begins with it; in
  /// requests it is optional.
  std::string base_path;
};

/// The parts that the server uses. They must outlive it.
struct ServerParts {
  Client& client;
  const Clock& clock;
  /// Empty: /v1/host answers 404 and /readyz is always ready.
  HostView host;
  /// May be empty.
  WhyWaiting why_waiting;
  /// May be null.
  const ResultFiles* files = nullptr;
  /// Empty verbs respond with 501.
  HostControl control{};
  /// Empty: there are no signed links.
  LinkCheck link_check{};
  /// The default of POST /v1/host/leave.
  Duration leave_patience{30'000};
};

/// Thread-safety: start() and stop() from one thread; everything else happens on the server's own thread.
class HttpServer {
 public:
  HttpServer(ServerOptions options, ServerParts parts);
  /// stop()s.
  ~HttpServer();
  /// Binds, listens and serves; returns the port. Errors: kInvalidArgument (listen), kPermission (an address
  /// other than loopback without a token), kBusy (address in use), kIo.
  Result<std::uint16_t> start();
  /// Replaces all tokens, ServerOptions::token included, for the next request of each connection. Call it
  /// after start(), from any thread. Errors: kInvalidArgument (no token, or a bad one): the old ones stay.
  Status set_tokens(std::vector<http::TokenGrant> tokens);
  /// Replaces certificate, key and client authorities for further connections. Call it after start(), from
  /// any thread. Errors: kInvalidArgument (the server has no TLS, or the files do not fit), kIo: the old ones
  /// stay.
  Status set_tls(const http::TlsFiles& files);
  /// Accepts no more connections, answers waits (503), waits up to two seconds for answers in progress,
  /// closes. Idempotent.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gaur
