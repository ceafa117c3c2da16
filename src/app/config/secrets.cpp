#include "app/config/secrets.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/secret_file.hpp"
#include "base/suggest.hpp"
#include "http/token_rule.hpp"

namespace gaur::app {

namespace {

constexpr std::size_t kMostSecrets = 2;  // during a rotation

/// Without a token the server is open to every local user, so a token is never empty.
void check_secrets(Settings& settings, const Secret& secret) {
  if (secret.lines.empty() || secret.lines.front().empty())
    return settings.problem(*secret.from, "the token is empty; remove the key to use no token");
  if (secret.lines.size() > kMostSecrets)
    return settings.problem(
        *secret.from,
        fmt::format("has {} lines; a token and the one that it replaces are at most 2", secret.lines.size()));
  for (std::size_t i = 0; i < secret.lines.size(); ++i) {
    if (const Status good = http::check_token_rule(secret.lines[i]); !good)
      return settings.problem(*secret.from, (i > 0 ? "line 2: " : "") + good.error().message);
  }
}

std::set<http::Right> read_rights(Settings& settings, const KeyPath& key) {
  const std::vector<std::string> known = http::right_names();
  std::set<http::Right> rights;
  const std::vector<std::string> given = settings.texts(key);
  if (given.empty())
    settings.problem(settings.is_set(key) ? key : KeyPath{key[0], key[1]},
                     fmt::format("has no rights; name some of {} in `rights`", fmt::join(known, ", ")));
  for (const std::string& text : given) {
    if (const auto right = http::parse_right(text)) {
      rights.insert(*right);
    } else {
      settings.problem(key, fmt::format("there is no right \"{}\"{}", text, did_you_mean(text, known)));
    }
  }
  return rights;
}

/// `all_known`: a name that is not configured is a mistake. On Redis another host may serve it.
std::set<std::string> read_names(Settings& settings, const KeyPath& key, std::string_view section,
                                 bool all_known) {
  const std::vector<std::string> known = settings.names(section);
  std::set<std::string> names;
  const std::vector<std::string> given = settings.texts(key);
  if (settings.is_set(key) && given.empty()) settings.problem(key, "is empty; remove the key to allow all");
  for (const std::string& name : given) {
    names.insert(name);
    if (all_known && std::ranges::find(known, name) == known.end())
      settings.problem(key, fmt::format("there is no {} \"{}\"{}", section.substr(0, section.size() - 1),
                                        name, did_you_mean(name, known)));
  }
  return names;
}

void add(Settings& settings, Config& config, http::TokenGrant token, const Secret& secret) {
  const bool from_file = secret.from->back() == "token_file";
  if (from_file) config.token_files.emplace_back(settings.text(*secret.from));
  if (config.token.empty() && token.has(http::Right::kAdmin) && !secret.lines.empty()) {
    config.token = secret.lines.front();
    if (from_file) config.token_file = config.token_files.back();
  }
  const std::size_t problems = settings.problems().size();
  check_secrets(settings, secret);
  if (settings.problems().size() > problems) return;
  for (const http::TokenGrant& other : config.tokens) {
    for (const std::string& line : secret.lines) {
      if (std::ranges::find(other.secrets, line) != other.secrets.end())
        settings.problem(*secret.from,
                         fmt::format("has the same token as {}; create one of its own", other.name));
    }
  }
  token.secrets = secret.lines;
  config.tokens.push_back(std::move(token));
}

}  // namespace

Secret read_secret(Settings& settings, const KeyPath& key, const KeyPath& file) {
  Secret from_key;
  if (settings.is_set(key)) from_key = {{settings.text(key)}, key};
  if (!settings.is_set(file)) return from_key;
  if (from_key.from && settings.origin(key).kind > settings.origin(file).kind) return from_key;
  if (from_key.from && settings.origin(key).kind == settings.origin(file).kind)
    settings.problem(file, to_string(key) + " is set as well; one of the two is enough");
  return read_secret(settings, file);
}

Secret read_secret(Settings& settings, const KeyPath& file) {
  if (!settings.is_set(file)) return {};
  const std::string path = settings.text(file);
  if (path.empty()) {
    settings.problem(file, "names no file; name one, or remove the key");
    return {{}, file};
  }
  auto lines = read_secret_file(path);
  if (lines) return {*std::move(lines), file};
  settings.problem(file, lines.error().message);
  return {{}, file};
}

void read_tokens(Settings& settings, Config& config) {
  std::size_t problems = settings.problems().size();
  const Secret server = read_secret(settings, {"server", "token"}, {"server", "token_file"});
  if (server.from && settings.problems().size() == problems)
    add(settings, config, http::admin_grant("server.token", {}), server);
  for (const std::string& name : settings.names("tokens")) {
    const auto key = [&](const char* last) { return KeyPath{"tokens", name, last}; };
    http::TokenGrant token;
    token.name = name;
    token.rights = read_rights(settings, key("rights"));
    token.queues = read_names(settings, key("queues"), "queues", !config.redis);
    token.functions = read_names(settings, key("functions"), "functions", !config.redis);
    problems = settings.problems().size();
    const Secret secret = read_secret(settings, key("token_file"));
    if (!secret.from) {
      settings.problem(KeyPath{"tokens", name}, "has no token_file");
    } else if (settings.problems().size() == problems) {
      add(settings, config, std::move(token), secret);
    }
  }
}

}  // namespace gaur::app
