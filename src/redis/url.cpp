#include "redis/url.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace gaur::redis {
namespace {

constexpr std::string_view kPlain = "redis://", kTls = "rediss://", kUnix = "redis+unix://";
constexpr std::string_view kEscape =
    "an @ stands where none is expected; a password writes / ? # @ % as %2F %3F %23 %40 %25";
constexpr std::uint32_t kHighestDb =
    1'000'000;  // what a server has is its own affair; this is a typing error

Error bad(std::string message) {
  return {Errc::kInvalidArgument, "store URL: " + std::move(message)};
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// `what` names the part, because the part itself may be a password.
Result<std::string> decode(std::string_view text, std::string_view what) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return bad(
          fmt::format("the {} holds a % without two hexadecimal digits; a % itself is written %25", what));
    }
    result += static_cast<char>(high * 16 + low);
    i += 2;
  }
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

Status read_db(std::string_view text, Endpoint& endpoint) {
  const auto db = whole<std::uint32_t>(text, kHighestDb);
  if (!db) return bad(fmt::format("\"{}\" is no database number; 0 is the usual one", text));
  endpoint.db = *db;
  return ok();
}

Status read_user(std::string_view text, Endpoint& endpoint) {
  const auto colon = text.find(':');
  GAUR_TRY(endpoint.user, decode(text.substr(0, colon), "user"));
  if (colon == std::string_view::npos) return ok();
  GAUR_TRY(endpoint.password, decode(text.substr(colon + 1), "password"));
  return ok();
}

Status read_host(std::string_view text, Endpoint& endpoint) {
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
      return bad("an IPv6 address stands in brackets: redis://[::1]:6379");
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
  if (port.empty()) return ok();
  const auto number = whole<std::uint16_t>(port.substr(1), 65'535);
  if (!number || *number == 0) {
    return bad(
        "the port is a number from 1 to 65535; a password with / ? # or @ writes them as %2F %3F %23 %40");
  }
  endpoint.port = *number;
  return ok();
}

Status read_option(std::string_view text, StoreUrl& url) {
  const auto equals = text.find('=');
  const std::string name(text.substr(0, equals));
  if (equals == std::string_view::npos) return bad(fmt::format("option \"{}\" has no value", name));
  GAUR_TRY(std::string value, decode(text.substr(equals + 1), "option " + name));
  const std::array<std::pair<std::string_view, std::string*>, 4> of_tls{{
      {"ca", &url.endpoint.tls.ca_file},
      {"cert", &url.endpoint.tls.cert_file},
      {"key", &url.endpoint.tls.key_file},
      {"server_name", &url.endpoint.tls.server_name},
  }};
  for (const auto& [known, target] : of_tls) {
    if (name != known) continue;
    if (!url.endpoint.tls.on) return bad(fmt::format("option \"{}\" is about TLS; write rediss://", name));
    if (value.empty()) return bad(fmt::format("option \"{}\" has no value", name));
    *target = std::move(value);
    return ok();
  }
  if (name == "db") return read_db(value, url.endpoint);
  if (name == "dialect" || name == "prefix") {
    if (value.empty()) return bad(fmt::format("option \"{}\" has no value", name));
    (name == "dialect" ? url.dialect : url.prefix) = std::move(value);
    return ok();
  }
  if (name == "allow_eviction") {
    if (value != "0" && value != "1") return bad("allow_eviction is 0 or 1");
    url.allow_eviction = value == "1";
    return ok();
  }
  return bad(fmt::format(
      "there is no option \"{}\"; known are dialect, prefix, db, ca, cert, key, server_name, allow_eviction",
      name));
}

Status read_options(std::string_view text, StoreUrl& url) {
  while (!text.empty()) {
    const auto end = text.find('&');
    if (end != 0) GAUR_CHECK(read_option(text.substr(0, end), url));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  if (url.endpoint.tls.cert_file.empty() != url.endpoint.tls.key_file.empty()) {
    return bad("cert and key go together: our certificate and its key, both PEM files");
  }
  return ok();
}

Status read_unix(std::string_view text, Endpoint& endpoint) {
  GAUR_TRY(endpoint.unix_path, decode(text, "path"));
  if (endpoint.unix_path.starts_with('/') && endpoint.unix_path.size() > 1) return ok();
  return bad("a Unix socket is given by its whole path, with three slashes: redis+unix:///run/redis.sock");
}

Status read_address(std::string_view text, Endpoint& endpoint) {
  const auto slash = text.find('/');
  if (slash != std::string_view::npos) {
    if (text.find('@', slash) != std::string_view::npos) return bad(std::string(kEscape));
    if (slash + 1 < text.size()) GAUR_CHECK(read_db(text.substr(slash + 1), endpoint));
    text = text.substr(0, slash);
  }
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    GAUR_CHECK(read_user(text.substr(0, at), endpoint));
    text = text.substr(at + 1);
  }
  return read_host(text, endpoint);
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
    return bad(std::string(kEscape));  // the rest of a password, most likely: not to be shown
  }
  GAUR_CHECK(unix_socket ? read_unix(address, url.endpoint) : read_address(address, url.endpoint));
  if (question != std::string_view::npos) GAUR_CHECK(read_options(text.substr(question + 1), url));
  return url;
}

std::string masked(std::string_view url) {
  const auto scheme = url.find("://");
  const std::size_t from = scheme == std::string_view::npos ? 0 : scheme + 3;
  const auto at = url.rfind('@');  // the last: a password that was not escaped is hidden as a whole
  if (at == std::string_view::npos || at < from) return std::string(url);
  const auto colon = url.find(':', from);
  if (colon == std::string_view::npos || colon > at) return std::string(url);
  return fmt::format("{}:***{}", url.substr(0, colon), url.substr(at));
}

}  // namespace gaur::redis
