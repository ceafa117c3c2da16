#pragma once
// Who may do what: rights, the tokens that have them, and the search for a token. docs/reference/http-api.md
// has the table of the rights that each route needs. Thread-safety: values.
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gaur::http {

enum class Right : std::uint8_t {
  /// No token is needed, and any Host is accepted: only for what reveals nothing or is signed.
  kOpen,
  /// Read jobs, results, queues, the host and the metrics.
  kView,
  /// Add jobs of named functions and wait for them.
  kCall,
  /// The same for ad-hoc functions, whose jobs contain their own SQL.
  kAdHoc,
  /// Change jobs and queues: cancel, retry, promote, remove, pause, resume.
  kOperate,
  /// Change the host. Includes all other rights.
  kAdmin,
};
/// "view", "call", "ad-hoc", "operate", "admin"; "-" for kOpen.
std::string_view to_string(Right right);
/// Nothing: not a right that a token can have.
std::optional<Right> parse_right(std::string_view text);
/// "view", "call" ...: all that parse_right() reads.
std::vector<std::string> right_names();

/// One named token.
struct TokenGrant {
  /// Shown in the log and in problems; the secrets never are.
  std::string name;
  /// One or, during a rotation, two that are equally valid.
  std::vector<std::string> secrets;
  std::set<Right> rights;
  /// Only these; empty: all.
  std::set<std::string> queues, functions;

  bool has(Right right) const { return rights.contains(right) || rights.contains(Right::kAdmin); }
  bool may_use_queue(const std::string& queue) const { return queues.empty() || queues.contains(queue); }
  bool may_use_function(const std::string& function) const {
    return functions.empty() || functions.contains(function);
  }
};

/// All rights.
TokenGrant admin_grant(std::string name, std::vector<std::string> secrets);

/// Compares the SHA-256 digests with OpenSSL's CRYPTO_memcmp: the time depends neither on where the texts
/// differ nor on whether their lengths do.
bool equal_in_constant_time(std::string_view left, std::string_view right);

using TokenTable = std::vector<std::shared_ptr<const TokenGrant>>;
/// The token with this secret, or nullptr. Compares with every secret, so that the time does not depend on
/// which one matches.
std::shared_ptr<const TokenGrant> find_token(const TokenTable& tokens, std::string_view secret);

}  // namespace gaur::http
