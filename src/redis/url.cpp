#include "redis/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <utility>

#include "base/name_text.hpp"
#include "base/try.hpp"

namespace gaur::redis {
namespace {

constexpr std::string_view kPlain = "redis://", kTls = "rediss://", kUnix = "redis+unix://";
constexpr std::string_view kEscape = "unexpected @; in a password write / ? # @ % as %2F %3F %23 %40 %25";
constexpr std::uint32_t kHighestDb =
    1'000'000;  // above it is a typing error; the server checks its own limit
/// Options of ioredis that affect neither address nor credentials nor commands.
constexpr std::array<std::string_view, 13> kTuning{
    "allowUsernameInURI",  "autoResubscribe",     "commandTimeout",   "connectTimeout",
    "connectionName",      "enableOfflineQueue",  "enableReadyCheck", "keepAlive",
    "lazyConnect",         "maxLoadingRetryTime", "noDelay",          "enableAutoPipelining",
    "maxRetriesPerRequest"};

constexpr std::string_view kPrefix = "store URL: ";

Error bad(std::string message) {
  return {Errc::kInvalidArgument, std::string(kPrefix) + std::move(message)};
}

/// Collects the problems of all parts of a URL.
class Problems {
 public:
  void add(const Status& part) {
    if (part) return;
    text_ += (text_.empty() ? "" : "; ") + part.error().message.substr(kPrefix.size());
  }
  Status status() && { return text_.empty() ? ok() : Status(bad(std::move(text_))); }

 private:
  std::string text_;
};

/// `what` names the part, because the part itself may be a password.
Result<std::string> decode(std::string_view text, std::string_view what) {
  auto decoded = percent_decode(text);
  if (!decoded) {
    return bad(
        fmt::format("the {} holds a % without two hexadecimal digits; a % itself is written %25", what));
  }
  std::string& result = *decoded;
  if (result.find('\0') != std::string::npos) return bad(fmt::format("the {} holds a NUL", what));
  return result;
}

template <class Number>
std::optional<Number> whole(std::string_view text, Number highest) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || number > highest) {
    return std::nullopt;
  }
  return static_cast<Number>(number);
}

/// From the path or from ?db=. If both are set and differ, Bull uses the option and ioredis the path.
Status read_db(std::string_view text, StoreUrl& url) {
  const auto db = whole<std::uint32_t>(text, kHighestDb);
  if (!db) return bad(fmt::format("\"{}\" is no database number; 0 is the usual one", text));
  if (url.said.db && url.endpoint.db != *db) {
    return bad(
        fmt::format("the path says database {} and ?db= says {}: plain ioredis uses the first, Bull the "
                    "second; keep one of the two",
                    url.endpoint.db, *db));
  }
  url.endpoint.db = *db;
  url.said.db = true;
  return ok();
}

Status read_user(std::string_view text, StoreUrl& url) {
  const auto colon = text.find(':');
  GAUR_TRY(url.endpoint.user, decode(text.substr(0, colon), "user"));
  url.said.user = !url.endpoint.user.empty();
  if (colon == std::string_view::npos) return ok();
  GAUR_TRY(url.endpoint.password, decode(text.substr(colon + 1), "password"));
  url.said.password = !url.endpoint.password.empty();
  return ok();
}

Status read_host(std::string_view text, StoreUrl& url) {
  Endpoint& endpoint = url.endpoint;
  std::string_view port;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return bad("an IPv6 address ends with \"]\": redis://[::1]:6379");
    endpoint.host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (!port.empty() && port[0] != ':') return bad("after \"]\" a port is expected: redis://[::1]:6379");
  } else {
    const auto colon = text.find(':');
    endpoint.host = text.substr(0, colon);
    if (colon != std::string_view::npos) port = text.substr(colon);
    if (port.find(':', 1) != std::string_view::npos) {
      return bad("write an IPv6 address in brackets: redis://[::1]:6379");
    }
  }
  if (endpoint.host.empty()) return bad("a host is expected: redis://localhost:6379");
  for (const char c : endpoint.host) {
    if (c <= ' ' || c == '%' || c == '"' || c == '\\' || c == 127) {
      return bad(
          "the host holds a character that no host has; a password with / ? # @ or % writes them as "
          "%2F %3F %23 %40 %25");
    }
  }
  url.said.host = true;
  if (port.empty()) return ok();
  const auto number = whole<std::uint16_t>(port.substr(1), 65'535);
  if (!number || *number == 0) {
    return bad(
        "the port is a number from 1 to 65535; a password with / ? # or @ writes them as %2F %3F %23 %40");
  }
  endpoint.port = *number;
  url.said.port = true;
  return ok();
}

/// Reads an option of TLS; nothing if `name` is another one.
std::optional<Status> read_tls_option(const std::string& name, std::string& value, StoreUrl& url) {
  const std::array<std::pair<std::string_view, std::string*>, 4> of_tls{{
      {"ca", &url.endpoint.tls.ca_file},
      {"cert", &url.endpoint.tls.cert_file},
      {"key", &url.endpoint.tls.key_file},
      {"server_name", &url.endpoint.tls.server_name},
  }};
  if (name == "tls") return bad("the option tls is written as rediss://");
  for (const auto& [known, target] : of_tls) {
    if (name != known) continue;
    if (!url.endpoint.tls.on) return bad(fmt::format("option \"{}\" is about TLS; write rediss://", name));
    if (value.empty()) return bad(fmt::format("option \"{}\" has no value", name));
    *target = std::move(value);
    return ok();
  }
  return std::nullopt;
}

/// Bull uses ioredis's keyPrefix as the prefix of its own keys.
Status read_prefix(std::string_view name, std::string value, StoreUrl& url) {
  if (value.empty()) return bad(fmt::format("option \"{}\" has no value", name));
  if (url.prefix && *url.prefix != value)
    return bad(fmt::format("it has two prefixes, \"{}\" and \"{}\"; keep one", *url.prefix, value));
  url.prefix = std::move(value);
  return ok();
}

Status read_option(std::string_view text, StoreUrl& url) {
  const auto equals = text.find('=');
  const std::string name(text.substr(0, equals));
  if (equals == std::string_view::npos) return bad(fmt::format("option \"{}\" has no value", name));
  GAUR_TRY(std::string value, decode(text.substr(equals + 1), "option " + name));
  if (auto tls = read_tls_option(name, value, url)) return *std::move(tls);
  if (name == "db") return read_db(value, url);
  if (name == "prefix" || name == "keyPrefix") return read_prefix(name, std::move(value), url);
  if (name == "dialect") {
    if (value.empty()) return bad("option \"dialect\" has no value");
    url.dialect = std::move(value);
    return ok();
  }
  if (name == "family") {
    if (value != "0" && value != "4" && value != "6")
      return bad("family is 4 or 6, the IP version of the server's address, or 0 for either");
    url.endpoint.family = static_cast<std::uint8_t>(value[0] - '0');
    return ok();
  }
  if (name == "username" || name == "password")
    return bad(fmt::format("write the {} before the host: redis://USER:PASSWORD@HOST", name));
  if (std::ranges::find(kTuning, name) != kTuning.end()) {
    url.unused.push_back(name);
    return ok();
  }
  if (name == "allow_eviction") {
    if (value != "0" && value != "1") return bad("allow_eviction is 0 or 1");
    url.allow_eviction = value == "1";
    return ok();
  }
  return bad(fmt::format(
      "there is no option \"{}\"; known are dialect, prefix, db, family, ca, cert, key, server_name, "
      "allow_eviction",
      name));
}

Status read_options(std::string_view text, StoreUrl& url) {
  std::vector<std::string_view> seen;
  Problems problems;
  while (!text.empty()) {
    const auto end = text.find('&');
    const std::string_view option = text.substr(0, end);
    const std::string_view name = option.substr(0, option.find('='));
    if (!option.empty() && std::ranges::find(seen, name) != seen.end()) {
      problems.add(bad(fmt::format("option \"{}\" is given twice", name)));
    } else if (!option.empty()) {
      problems.add(read_option(option, url));
    }
    seen.push_back(name);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  if (url.endpoint.tls.cert_file.empty() != url.endpoint.tls.key_file.empty()) {
    problems.add(bad("cert and key go together: our certificate and its key, both PEM files"));
  }
  return std::move(problems).status();
}

Status read_unix(std::string_view text, StoreUrl& url) {
  Endpoint& endpoint = url.endpoint;
  GAUR_TRY(endpoint.unix_path, decode(text, "path"));
  url.said.host = true;
  if (endpoint.unix_path.starts_with('/') && endpoint.unix_path.size() > 1) return ok();
  return bad("a Unix socket is given by its whole path, with three slashes: redis+unix:///run/redis.sock");
}

Status read_address(std::string_view text, StoreUrl& url) {
  Problems problems;
  const auto slash = text.find('/');
  if (slash != std::string_view::npos) {
    if (text.find('@', slash) != std::string_view::npos) return bad(std::string(kEscape));
    std::string_view db = text.substr(slash + 1);
    if (db.ends_with('/')) db.remove_suffix(1);  // "/0/" is database 0 for Bull and ioredis as well
    if (!db.empty()) problems.add(read_db(db, url));
    text = text.substr(0, slash);
  }
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    problems.add(read_user(text.substr(0, at), url));
    text = text.substr(at + 1);
  }
  problems.add(read_host(text, url));
  return std::move(problems).status();
}

}  // namespace

bool is_redis_url(std::string_view text) {
  return text.starts_with(kPlain) || text.starts_with(kTls) || text.starts_with(kUnix);
}

Result<StoreUrl> parse_url(std::string_view text) {
  StoreUrl url;
  if (!is_redis_url(text)) {
    return bad("it begins with redis://, rediss:// (TLS) or redis+unix:// (a socket's path)");
  }
  for (const char c : text) {
    if (c <= ' ' || c == 127) return bad("it holds a space or a control character; a space is written %20");
  }
  const bool unix_socket = text.starts_with(kUnix);
  url.endpoint.tls.on = text.starts_with(kTls);
  text.remove_prefix(text.find("://") + 3);
  const auto question = text.find('?');
  const std::string_view address = text.substr(0, question);
  if (address.find('#') != std::string_view::npos)
    return bad("it holds a #; in a password that is written %23");
  if (question != std::string_view::npos && text.find('@', question) != std::string_view::npos) {
    return bad(std::string(kEscape));  // probably the rest of a password, which must not be shown
  }
  Problems problems;
  problems.add(unix_socket ? read_unix(address, url) : read_address(address, url));
  if (question != std::string_view::npos) problems.add(read_options(text.substr(question + 1), url));
  GAUR_CHECK(std::move(problems).status());
  return url;
}

std::string to_url(const StoreUrl& url) {
  const Endpoint& at = url.endpoint;
  const bool socket = !at.unix_path.empty();
  std::string text;
  if (socket) {
    text = std::string(kUnix) + percent_encode(at.unix_path, "/");
  } else {
    text = at.tls.on ? kTls : kPlain;
    if (!at.user.empty() || !at.password.empty()) {
      text += percent_encode(at.user);
      if (!at.password.empty()) text += ':' + percent_encode(at.password);
      text += '@';
    }
    const bool v6 = at.host.find(':') != std::string::npos;
    text += fmt::format("{}:{}", v6 ? "[" + at.host + "]" : at.host, at.port);
    if (url.said.db) text += fmt::format("/{}", at.db);
  }
  char joint = '?';
  const auto option = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    text += fmt::format("{}{}={}", std::exchange(joint, '&'), name, percent_encode(value, "/:"));
  };
  if (socket && url.said.db) option("db", std::to_string(at.db));
  option("family", at.family == 0 ? "" : std::to_string(at.family));
  option("ca", at.tls.ca_file);
  option("cert", at.tls.cert_file);
  option("key", at.tls.key_file);
  option("server_name", at.tls.server_name);
  option("dialect", url.dialect.value_or(""));
  option("prefix", url.prefix.value_or(""));
  option("allow_eviction", url.allow_eviction ? "1" : "");
  return text;
}

StoreUrl put_over(StoreUrl base, const StoreUrl& over) {
  Endpoint& at = base.endpoint;
  const Endpoint& from = over.endpoint;
  if (over.said.host) {
    at.host = from.host;
    at.unix_path = from.unix_path;
    if (!from.unix_path.empty()) at.tls = {};
  }
  if (over.said.port) at.port = from.port;
  if (over.said.db) at.db = from.db;
  if (over.said.user) at.user = from.user;
  if (over.said.password) at.password = from.password;
  if (from.family != 0) at.family = from.family;
  if (from.tls.on && at.unix_path.empty()) {
    at.tls.on = true;
    for (const auto file :
         {&TlsOptions::ca_file, &TlsOptions::cert_file, &TlsOptions::key_file, &TlsOptions::server_name}) {
      if (!(from.tls.*file).empty()) at.tls.*file = from.tls.*file;
    }
  }
  if (over.dialect) base.dialect = over.dialect;
  if (over.prefix) base.prefix = over.prefix;
  base.allow_eviction = base.allow_eviction || over.allow_eviction;
  base.said = {.host = base.said.host || over.said.host,
               .port = base.said.port || over.said.port,
               .db = base.said.db || over.said.db,
               .user = base.said.user || over.said.user,
               .password = base.said.password || over.said.password};
  return base;
}

std::string masked(std::string_view url) {
  const auto scheme = url.find("://");
  const std::size_t from = scheme == std::string_view::npos ? 0 : scheme + 3;
  const auto at = url.rfind('@');  // the last one, so that an unescaped password is hidden completely
  if (at == std::string_view::npos || at < from) return std::string(url);
  const auto colon = url.find(':', from);
  if (colon == std::string_view::npos || colon > at) return std::string(url);
  return fmt::format("{}:***{}", url.substr(0, colon), url.substr(at));
}

}  // namespace gaur::redis
