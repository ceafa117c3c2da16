#pragma once
// Store URLs of Redis:
//
//   redis://[user[:password]@]host[:port][/db]       rediss://...  the same over TLS, verified
//   redis+unix:///path/to.sock[?db=N]
//
// `redis://:secret@host` is a password without a user. Options after `?`, joined by `&`: dialect, prefix
// (also keyPrefix, as Bull takes it), ca, cert, key, server_name (rediss only), allow_eviction=1, db,
// family=0|4|6. User, password, path and values may carry %XX. Options that tune ioredis (connectTimeout and
// the like) are accepted, have no effect and are listed. Thread-safety: pure functions.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gaur/result.hpp"
#include "redis/options.hpp"

namespace gaur::redis {

struct StoreUrl {
  Endpoint endpoint;
  /// As written; the caller checks it.
  std::optional<std::string> dialect = {};
  std::optional<std::string> prefix = {};
  bool allow_eviction = false;
  /// Names of options that only affect ioredis.
  std::vector<std::string> unused = {};
  /// Which parts the text contains; the others have their defaults.
  struct Said {
    bool host = false, port = false, db = false, user = false, password = false;
  } said = {};
};

/// Whether a store's address begins with one of the three schemes.
bool is_redis_url(std::string_view text);

/// Errors: kInvalidArgument; the message names the problem and what is expected, and never contains the
/// password.
Result<StoreUrl> parse_url(std::string_view text);

/// The URL of these parts, which parse_url() reads back; defaults and unused options are left out.
std::string to_url(const StoreUrl& url);

/// `base` overridden by the parts that `over` contains: host, port, database, user, password, TLS, options.
StoreUrl put_over(StoreUrl base, const StoreUrl& over);

/// The URL with its password as `***`, for logs and `gaur check`; also of text that does not parse.
std::string masked(std::string_view url);

}  // namespace gaur::redis
