#pragma once
// Access control: token, Host, Origin, content type. Checks the head before any byte of the body is kept, and
// the body before a handler gets it. Thread-safety: confined to the server's
// thread.
#include <map>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "base/env.hpp"
#include "http/message.hpp"
#include "http/problem.hpp"
#include "http/router.hpp"

namespace gaur::http {

/// The name of a Host header, in lower case: "localhost:8378" -> "localhost", "[::1]:8378" -> "::1". Nothing
/// if it is not a name, an IPv4 address or an IPv6 address in brackets, with or without a port.
std::optional<std::string> host_name(std::string_view host_header);
/// localhost, *.localhost, 127.0.0.0/8 and ::1.
bool is_loopback_name(std::string_view name);

class Guard {
 public:
  struct Options {
    /// Empty: no token is needed.
    TokenTable tokens;
    std::vector<std::string> hosts;
    /// Every client has proven a certificate (mutual TLS). Then any Host is accepted: a page that points its
    /// name here (DNS rebinding) has no certificate for that name.
    bool client_certificates = false;
    std::uint32_t wrong_tokens = 10;
  };
  Guard(Options options, const Clock& clock) : options_(std::move(options)), clock_(clock) {}

  /// Replaces the tokens.
  void set_tokens(TokenTable tokens) { options_.tokens = std::move(tokens); }
  /// Identifies the caller of a request by its head; nullptr if no token is needed. The error says why it is
  /// rejected (token or host, origin). `right` is kView for an unknown path. A wrong token is counted.
  tl::expected<std::shared_ptr<const TokenGrant>, Problem> check_head(const Request& request, Right right);
  /// Why a caller may not use this route: its rights, or the queue or function of the path.
  static std::optional<Problem> check_rights(const TokenGrant& caller, const Route& route,
                                             const std::vector<std::string>& params);
  /// Why its body is rejected: encoding and content type.
  static std::optional<Problem> check_body(const Request& request);

 private:
  std::optional<Problem> check_host(const Request& request) const;
  tl::expected<std::shared_ptr<const TokenGrant>, Problem> check_token(const Request& request);
  static std::optional<Problem> check_origin(const Request& request);
  Problem wrong_token(const std::string& remote);

  Options options_;
  const Clock& clock_;
  struct Wrong {
    Instant since{};
    std::uint32_t count = 0;
  };
  std::map<std::string, Wrong> wrong_;  // by address; at most kMostAddresses
};

}  // namespace gaur::http
