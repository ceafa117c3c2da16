#pragma once
// Access control: token, Host, Origin, content type. Checks the head before any byte of the body is kept, and
// the body before a handler gets it. Thread-safety: confined to the server's
// thread.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/env.hpp"
#include "http/message.hpp"
#include "http/problem.hpp"
#include "http/router.hpp"

namespace gaur::http {

/// Compares the SHA-256 digests with OpenSSL's CRYPTO_memcmp: the time depends neither on where the texts
/// differ nor on whether their lengths do.
bool equal_in_constant_time(std::string_view left, std::string_view right);

/// The name of a Host header, in lower case: "localhost:8378" -> "localhost", "[::1]:8378" -> "::1". Nothing
/// if it is not a name, an IPv4 address or an IPv6 address in brackets, with or without a port.
std::optional<std::string> host_name(std::string_view host_header);
/// localhost, *.localhost, 127.0.0.0/8 and ::1.
bool is_loopback_name(std::string_view name);

class Guard {
 public:
  struct Options {
    std::string token;
    std::vector<std::string> hosts;
    std::uint32_t wrong_tokens = 10;
  };
  Guard(Options options, const Clock& clock) : options_(std::move(options)), clock_(clock) {}

  /// Why this request is rejected by its head alone (token or host, origin), or nothing. `access` is kRead
  /// for an unknown path. A wrong token is counted.
  std::optional<Problem> check_head(const Request& request, Access access);
  /// Why its body is rejected: encoding and content type.
  static std::optional<Problem> check_body(const Request& request);

 private:
  std::optional<Problem> check_host(const Request& request) const;
  std::optional<Problem> check_token(const Request& request);
  static std::optional<Problem> check_origin(const Request& request);
  std::optional<Problem> wrong_token(const std::string& remote);

  Options options_;
  const Clock& clock_;
  struct Wrong {
    Instant since{};
    std::uint32_t count = 0;
  };
  std::map<std::string, Wrong> wrong_;  // by address; at most kMostAddresses
};

}  // namespace gaur::http
