#include "app/config/deployment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>

#include "base/json.hpp"

namespace gaur::app {
namespace {

constexpr std::array<std::string_view, 12> kNames{"REDIS_URL",       "REDIS_HOST",     "REDIS_PORT",
                                                  "REDIS_DB",        "REDIS_USERNAME", "REDIS_USER",
                                                  "REDIS_TLS",       "REDIS_PASSWORD", "REDIS_PASSWORD_FILE",
                                                  "BULL_QUEUE_NAME", "BULL_COUNT",     "BULL_QUEUE_COUNT"};

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// The reference that another reader would expand: "${NAME}", or "$NAME" where `bare` counts.
std::string reference_in(std::string_view text, bool bare) {
  for (std::size_t at = text.find('$'); at != std::string_view::npos; at = text.find('$', at + 1)) {
    const std::string_view rest = text.substr(at + 1);
    if (rest.starts_with('{') && rest.find('}') != std::string_view::npos)
      return std::string(text.substr(at, rest.find('}') + 2));
    std::size_t end = 0;
    while (end < rest.size() &&
           (std::isalnum(static_cast<unsigned char>(rest[end])) != 0 || rest[end] == '_'))
      ++end;
    if (bare && end > 0 && std::isdigit(static_cast<unsigned char>(rest[0])) == 0)
      return std::string(text.substr(at, end + 1));
  }
  return "";
}

class DeploymentReader {
 public:
  explicit DeploymentReader(const std::vector<Variable>& variables) {
    for (const Variable& variable : variables) {
      if (!is_deployment_name(variable.name)) continue;
      if (variable.name.starts_with("REDIS_") && !redis_name_) redis_name_ = variable;
      const bool file = variable.origin.kind == Origin::Kind::kDotEnv;
      given_[variable.name] = {variable.value, variable.origin,
                               file ? fmt::format("{} {}", to_string(variable.origin), variable.name)
                                    : to_string(variable.origin)};
    }
    std::erase_if(given_, [](const auto& entry) { return entry.second.value.empty(); });
  }

  Deployment read() {
    report_references();
    place();
    if (!said_.empty()) {
      read_.url = url_;
      read_.url_origin = said_.front()->origin;
      for (const DeploymentValue* value : said_)
        read_.url_from += (read_.url_from.empty() ? "" : ", ") + value->from;
    } else if (redis_name_) {
      read_.url = redis::StoreUrl{};  // a Redis is there, at the address that Bull takes by default
      read_.url_origin = redis_name_->origin;
    }
    password();
    prefix();
    read_.count = same("BULL_COUNT", "BULL_QUEUE_COUNT", "worker.count");
    return std::move(read_);
  }

 private:
  const DeploymentValue* find(std::string_view name) const {
    const auto it = given_.find(name);
    return it == given_.end() ? nullptr : &it->second;
  }
  void problem(const DeploymentValue& value, std::string_view key, std::string message) {
    read_.problems.push_back(
        {value.origin, std::string(key), fmt::format("{}: {}", name_of(value), std::move(message))});
  }
  std::string_view name_of(const DeploymentValue& value) const {
    for (const auto& [name, given] : given_) {
      if (&given == &value) return name;
    }
    return "";
  }
  std::optional<DeploymentValue> copy(std::string_view name) const {
    const DeploymentValue* value = find(name);
    return value == nullptr ? std::nullopt : std::optional(*value);
  }

  /// Two names of one thing: the first that is given, and a problem where both are and differ.
  std::optional<DeploymentValue> same(std::string_view first, std::string_view second, std::string_view key) {
    const DeploymentValue* one = find(first);
    const DeploymentValue* other = find(second);
    if (one != nullptr && other != nullptr && one->value != other->value)
      contradiction(*one, *other, key, fmt::format("\"{}\"", one->value),
                    fmt::format("\"{}\"", other->value));
    return one != nullptr ? copy(first) : copy(second);
  }
  void contradiction(const DeploymentValue& one, const DeploymentValue& other, std::string_view key,
                     std::string_view says, std::string_view other_says) {
    problem(other, key,
            fmt::format("{} contradicts {}, which says {}; which of them the application uses is not known "
                        "here: make them agree or remove one",
                        other_says, one.from, says));
  }

  /// dotenv keeps a reference as text, dotenv-expand (Nest's expandVariables) puts a value in its place.
  void report_references() {
    for (const auto& [name, value] : given_) {
      if (value.origin.kind != Origin::Kind::kDotEnv) continue;
      const bool secret = name == "REDIS_PASSWORD" || name == "REDIS_URL";
      const std::string key =
          name.starts_with("BULL_") && name != "BULL_QUEUE_NAME" ? "worker.count" : "store.url";
      if (const std::string found = reference_in(value.value, !secret); !found.empty()) {
        problem(
            value, key,
            fmt::format("contains {}, which dotenv keeps as it is and Nest's expandVariables replaces; write "
                        "the value itself, or set {} in the process's environment",
                        secret ? "a ${...}" : found, name));
      } else if (secret && !reference_in(value.value, true).empty()) {
        read_.notes.push_back({value.origin, name,
                               "contains a $ before a name: read literally, as dotenv does; Nest's "
                               "expandVariables would replace it"});
      }
    }
  }

  void place() {
    if (const DeploymentValue* url = find("REDIS_URL")) place_of_url(*url);
    host();
    port();
    database();
    user();
    tls();
    if (!url_.endpoint.unix_path.empty() && url_.said.user)
      problem(*said_.back(), "store.url", "a user over a Unix socket is not supported; use the default user");
  }

  void place_of_url(const DeploymentValue& value) {
    auto url = redis::parse_url(value.value);
    if (!url) return problem(value, "store.url", url.error().message);
    if (url->said.user && value.value.find(':', value.value.find("://") + 3) > value.value.rfind('@')) {
      problem(
          value, "store.url",
          "has a word alone before the @, which Bull takes for the password and ioredis for the user; write "
          "redis://:PASSWORD@HOST or redis://USER:PASSWORD@HOST");
    }
    if (url->endpoint.user.find(':') != std::string::npos)
      problem(value, "store.url", "has a user with a colon in it, at which Bull cuts it; use another user");
    url_ = *std::move(url);
    for (const std::string& option : url_.unused) {
      read_.notes.push_back({value.origin, "REDIS_URL",
                             fmt::format("its option {} tunes ioredis and has no counterpart", option)});
    }
    said_.push_back(&value);
    whole_url_ = &value;
  }

  void host() {
    const DeploymentValue* value = find("REDIS_HOST");
    if (value == nullptr) return;
    const std::string& text = value->value;
    if (text.find("://") != std::string::npos)
      return problem(*value, "store.url", "is a URL; give it as REDIS_URL");
    if (text.starts_with('/'))
      return problem(*value, "store.url", "is the path of a socket; give it as REDIS_URL=redis+unix://PATH");
    const auto colons = std::ranges::count(text, ':');
    if (colons == 1)
      return problem(*value, "store.url",
                     "contains a port; a host alone is expected, and the port in REDIS_PORT");
    const bool bare_ipv6 = colons > 1 && !text.starts_with('[');
    const auto read = redis::parse_url("redis://" + (bare_ipv6 ? "[" + text + "]" : text));
    if (!read || read->said.db || read->said.user || read->said.password || read->said.port ||
        !read->said.host || text.find_first_of("/?@") != std::string::npos)
      return problem(*value, "store.url", fmt::format("{} is not a host name or address", json::quote(text)));
    if (whole_url_ != nullptr && lower(url_.endpoint.host) != lower(read->endpoint.host))
      return contradiction(*whole_url_, *value, "store.url", "host " + url_.endpoint.host, "host " + text);
    if (whole_url_ == nullptr) url_.endpoint.host = read->endpoint.host;
    url_.said.host = true;
    said_.push_back(value);
  }

  /// A number of the URL: its value once it was read, or nothing after a problem.
  template <class Number>
  void number(std::string_view name, Number redis::Endpoint::*field, bool redis::StoreUrl::Said::*said,
              const std::string& probe, std::string_view what) {
    const DeploymentValue* value = find(name);
    if (value == nullptr) return;
    const bool digits =
        std::ranges::all_of(value->value, [](unsigned char c) { return std::isdigit(c) != 0; });
    const auto read = digits ? redis::parse_url(probe + value->value) : Error{Errc::kInvalidArgument, ""};
    if (!read)
      return problem(*value, "store.url", fmt::format("{} is not {}", json::quote(value->value), what));
    const Number number = read->endpoint.*field;
    if (url_.said.*said && url_.endpoint.*field != number)
      return contradiction(*whole_url_, *value, "store.url", fmt::format("{}", url_.endpoint.*field),
                           fmt::format("{}", number));
    url_.endpoint.*field = number;
    url_.said.*said = true;
    said_.push_back(value);
  }
  void port() {
    number("REDIS_PORT", &redis::Endpoint::port, &redis::StoreUrl::Said::port,
           "redis://h:", "a port from 1 to 65535");
  }
  void database() {
    number("REDIS_DB", &redis::Endpoint::db, &redis::StoreUrl::Said::db, "redis://h/", "a database number");
  }

  void user() {
    const auto value = same("REDIS_USERNAME", "REDIS_USER", "store.url");
    if (!value) return;
    const DeploymentValue* given =
        find("REDIS_USERNAME") != nullptr ? find("REDIS_USERNAME") : find("REDIS_USER");
    if (url_.said.user && url_.endpoint.user != value->value)
      return contradiction(*whole_url_, *given, "store.url", "user " + url_.endpoint.user,
                           "user " + value->value);
    url_.endpoint.user = value->value;
    url_.said.user = true;
    said_.push_back(given);
  }

  void tls() {
    const DeploymentValue* value = find("REDIS_TLS");
    if (value == nullptr) return;
    const std::string word = lower(value->value);
    const auto among = [&](std::initializer_list<const char*> words) {
      return std::ranges::find(words, word) != words.end();
    };
    if (!among({"true", "1", "yes", "on", "false", "0", "no", "off"}))
      return problem(*value, "store.url",
                     fmt::format("takes true or false, not {}", json::quote(value->value)));
    const bool on = among({"true", "1", "yes", "on"});
    if (!on && url_.endpoint.tls.on)
      return contradiction(*whole_url_, *value, "store.url", "rediss://, which is TLS", word);
    if (on && !url_.endpoint.unix_path.empty())
      return contradiction(*whole_url_, *value, "store.url", "a Unix socket, which has no TLS", word);
    url_.endpoint.tls.on = on;
    if (on) said_.push_back(value);
  }

  void password() {
    read_.password = copy("REDIS_PASSWORD");
    read_.password_file = copy("REDIS_PASSWORD_FILE");
    if (whole_url_ != nullptr && url_.said.password && read_.password &&
        url_.endpoint.password != read_.password->value)
      contradiction(*whole_url_, *find("REDIS_PASSWORD"), "store.password", "another password", "a password");
  }

  void prefix() {
    read_.prefix = copy("BULL_QUEUE_NAME");
    if (url_.prefix && read_.prefix && *url_.prefix != read_.prefix->value)
      contradiction(*whole_url_, *find("BULL_QUEUE_NAME"), "store.prefix", "prefix " + *url_.prefix,
                    "prefix " + read_.prefix->value);
  }

  std::map<std::string, DeploymentValue, std::less<>> given_;
  /// The first that speaks of Redis at all, empty or not.
  std::optional<Variable> redis_name_;
  redis::StoreUrl url_;
  /// REDIS_URL, if it could be read.
  const DeploymentValue* whole_url_ = nullptr;
  /// Behind url_.
  std::vector<const DeploymentValue*> said_;
  Deployment read_;
};

}  // namespace

std::span<const std::string_view> deployment_names() {
  return kNames;
}

bool is_deployment_name(std::string_view name) {
  return std::ranges::find(kNames, name) != kNames.end();
}

Deployment read_deployment(const std::vector<Variable>& variables) {
  return DeploymentReader(variables).read();
}

}  // namespace gaur::app
