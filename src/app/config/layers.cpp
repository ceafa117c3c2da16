#include "app/config/layers.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <span>

#include "app/config/deployment.hpp"
#include "app/config/toml_source.hpp"
#include "base/files.hpp"
#include "base/suggest.hpp"
#include "redis/url.hpp"

namespace gaur::app {
namespace {

constexpr std::string_view kPrefix = "GAUR_";
constexpr std::uintmax_t kLargestFile = 4 << 20;
constexpr std::array<std::string_view, 2> kPasswordNames{"REDIS_PASSWORD", "REDIS_PASSWORD_FILE"};

std::string shown_name(const std::filesystem::path& path, const std::filesystem::path& folder) {
  const auto relative = path.lexically_relative(folder);
  return relative.empty() || relative.string().starts_with("..") ? path.string() : relative.string();
}

/// False where it cannot be read at all.
bool put_file(Settings& settings, const std::filesystem::path& path, const std::string& shown) {
  const auto text = read_file(path, kLargestFile);
  if (!text) {
    settings.problem({{Origin::Kind::kToml, shown, 0, 0, ""}, "", text.error().message});
    return false;
  }
  auto document = parse_toml(*text, shown, path.parent_path().string());
  if (!document) {
    settings.problem(document.error());
    return false;
  }
  for (Problem& problem : document->problems) settings.problem(std::move(problem));
  settings.remember(document->origins);
  const Origin whole{Origin::Kind::kToml, shown, 1, 1, path.parent_path().string()};
  settings.put({}, document->root, whole, false, &document->origins);
  return true;
}

/// "; did you mean "q"? declared: q, r", cut after 20 names.
std::string known_names(const std::string& name, const std::vector<std::string>& known) {
  constexpr std::size_t kMost = 20;
  const auto near = nearest(name, known);
  const auto shown = std::span(known).first(std::min(known.size(), kMost));
  return fmt::format("{}declared: {}{}", near ? fmt::format("; did you mean {}? ", json::quote(*near)) : "; ",
                     fmt::join(shown, ", "), known.size() > kMost ? " ..." : "");
}

/// A queue, pool or function that no file declares.
bool is_undeclared(const Settings& settings, const KeyPath& path) {
  if (path.size() < 3 || find_row(path) == nullptr) return false;
  const auto named = [&](const KeyRow& row) { return row.path.starts_with(path[0] + ".*"); };
  if (std::ranges::none_of(schema(), named)) return false;
  const std::vector<std::string> known = settings.names(path[0]);
  return std::ranges::find(known, path[1]) == known.end();
}

/// `in_file`: the configuration file, where there is one. Without it options alone declare queues, pools and
/// functions.
void put_flag(Settings& settings, std::string_view flag, const std::string& base,
              const std::optional<std::string>& in_file) {
  const std::size_t end = 2 + path_end(flag.substr(2));
  const std::size_t equals = end == flag.size() ? std::string_view::npos : end;
  const KeyPath path = parse_path(flag.substr(2, end - 2));
  const Origin origin{Origin::Kind::kFlag, "--" + to_string(path), 0, 0, base};
  const KeyRow* row = find_row(path);
  if (row != nullptr && in_file && is_undeclared(settings, path)) {
    const std::vector<std::string> known = settings.names(path[0]);
    const std::string kind = path[0].substr(0, path[0].size() - 1);
    settings.problem({origin, to_string(path),
                      fmt::format("{} declares no {} {}{}; an option changes what the file declares, add "
                                  "[{}] there",
                                  *in_file, kind, json::quote(path[1]),
                                  known.empty() ? ", nor any other" : known_names(path[1], known),
                                  to_string({path[0], path[1]}))});
  } else if (row != nullptr && row->kind == Kind::kSecret) {
    settings.problem({origin, to_string(path),
                      "a secret in a flag is seen by every user of the machine; use " + variable_name(path) +
                          " or " + to_string(path) + "_file"});
  } else if (row != nullptr && row->kind == Kind::kStoreUrl &&
             redis::masked(flag.substr(equals + 1)) != flag.substr(equals + 1)) {
    settings.problem({origin, to_string(path),
                      "a password in a flag is seen by every user of the machine; use "
                      "store.password_file or GAUR_STORE_PASSWORD"});
  } else if (equals == std::string_view::npos) {
    settings.problem({origin, to_string(path), "a flag needs a value: --" + to_string(path) + "=VALUE"});
  } else {
    settings.put(path, json::Value(flag.substr(equals + 1)), origin, true);
  }
}

}  // namespace

std::string variable_name(const KeyPath& path) {
  std::string name(kPrefix);
  for (const std::string& part : path) {
    if (name.size() > kPrefix.size()) name += '_';
    for (const char c : part) {
      const auto byte = static_cast<unsigned char>(c);
      name += std::isalnum(byte) != 0 ? static_cast<char>(std::toupper(byte)) : '_';
    }
  }
  return name;
}

bool is_secret_variable(std::string_view name) {
  if (name == "REDIS_PASSWORD" || name == "REDIS_URL") return true;
  return std::ranges::any_of(schema(), [&](const KeyRow& row) {
    if (row.kind != Kind::kSecret && row.kind != Kind::kStoreUrl) return false;
    const std::size_t star = row.path.find(".*.");  // of the user's own names, any may stand between
    if (star == std::string_view::npos) return name == variable_name(parse_path(row.path));
    return name.starts_with(variable_name(parse_path(row.path.substr(0, star))) + "_") &&
           name.ends_with(variable_name(parse_path(row.path.substr(star + 3))).substr(kPrefix.size() - 1));
  });
}

void put_variables(Settings& settings, const std::vector<Variable>& variables) {
  std::map<std::string, KeyPath> known;
  std::map<std::string, std::string>
      shared;  // names of several keys, such as those of "mail:high" and "mail_high"
  std::set<std::string> sections;
  for (const EffectiveSetting& key : settings.effective()) {
    const auto [it, first] = known.try_emplace(variable_name(key.path), key.path);
    if (!first) shared[it->first] = fmt::format("{} and {}", to_string(it->second), to_string(key.path));
  }
  for (const KeyRow& row : schema()) sections.insert(variable_name({std::string(split(row.path)[0])}) + "_");
  std::vector<std::string> names;
  for (const auto& [name, path] : known) names.push_back(name);
  for (const Variable& variable : variables) {
    const bool ours =
        std::ranges::any_of(sections, [&](const auto& s) { return variable.name.starts_with(s); });
    if (!ours) continue;
    if (const auto it = shared.find(variable.name); it != shared.end()) {
      settings.problem(
          {variable.origin, "",
           fmt::format("{} means {}; set them in gaur.toml or by flags", it->first, it->second)});
      continue;
    }
    if (const auto it = known.find(variable.name); it != known.end()) {
      settings.put(it->second, json::Value(variable.value), variable.origin, true);
      continue;
    }
    std::string message = variable.name + " is not a key of the configuration";
    if (const auto near = nearest(variable.name, names)) message += fmt::format("; did you mean {}?", *near);
    settings.problem({variable.origin, "", message});
  }
}

namespace {

const KeyPath kUrl{"store", "url"};

/// The Redis URL that is set, if one is.
std::optional<redis::StoreUrl> written_url(const Settings& settings) {
  if (!settings.is_set(kUrl)) return std::nullopt;
  const auto url = redis::parse_url(settings.text(kUrl));
  return url ? std::optional(*url) : std::nullopt;
}

bool same_server(const redis::StoreUrl& written, const redis::StoreUrl& said) {
  const auto endpoint = redis::put_over(written, said).endpoint;
  return endpoint.host == written.endpoint.host && endpoint.port == written.endpoint.port &&
         endpoint.unix_path == written.endpoint.unix_path;
}

/// Two places that speak of one server and differ: which of them is meant is not known here.
void report_contradictions(Settings& settings, const redis::StoreUrl& written, const Deployment& deployment) {
  const redis::StoreUrl& said = *deployment.url;
  if (!same_server(written, said)) return;
  const KeyPath prefix_key{"store", "prefix"};
  if (deployment.prefix && settings.is_set(prefix_key) &&
      settings.text(prefix_key) != deployment.prefix->value) {
    settings.problem(
        {deployment.prefix->origin, to_string(prefix_key),
         fmt::format("{} contradicts {} in {}; make them agree, or take the prefix out of the file",
                     json::quote(deployment.prefix->value), json::quote(settings.text(prefix_key)),
                     to_string(settings.origin(prefix_key)))});
  }
  const auto report = [&](std::string_view what, const auto& ours, const auto& theirs) {
    settings.problem(
        {deployment.url_origin, to_string(kUrl),
         fmt::format("{} {} contradicts {} in {}; make them agree, or take the url out of the file", what,
                     theirs, ours, to_string(settings.origin(kUrl)))});
  };
  const redis::Endpoint &ours = written.endpoint, &theirs = said.endpoint;
  if (written.said.db && said.said.db && ours.db != theirs.db) report("database", ours.db, theirs.db);
  if (written.said.user && said.said.user && ours.user != theirs.user) report("user", ours.user, theirs.user);
}

void apply_url(Settings& settings, const Deployment& deployment) {
  if (!deployment.url) return;
  const auto written = written_url(settings);
  const bool elsewhere = settings.is_set(kUrl) && !written;  // embedded, and no name moves it
  if (elsewhere && !deployment.url->said.host) return;
  if (written) report_contradictions(settings, *written, deployment);
  const redis::StoreUrl url = written ? redis::put_over(*written, *deployment.url) : *deployment.url;
  settings.put(kUrl, json::Value(redis::to_url(url)), deployment.url_origin, true);
}

/// A value of the deployment as the value of a key.
void apply_value(Settings& settings, const std::optional<DeploymentValue>& value, const KeyPath& path,
                 const std::vector<Variable>& variables) {
  const std::string own = variable_name(path);
  if (!value || std::ranges::any_of(variables, [&](const Variable& v) { return v.name == own; })) return;
  settings.put(path, json::Value(value->value), value->origin, true);
}

void apply_password(Settings& settings, const Deployment& deployment,
                    const std::vector<Variable>& variables) {
  apply_value(settings, deployment.password, {"store", "password"}, variables);
  apply_value(settings, deployment.password_file, {"store", "password_file"}, variables);
}

}  // namespace

void apply_deployment(Settings& settings, const std::vector<Variable>& variables) {
  const Deployment deployment = read_deployment(variables);
  const std::string own = variable_name(kUrl);
  const bool own_url = std::ranges::any_of(variables, [&](const Variable& v) { return v.name == own; });
  for (const Problem& problem : deployment.problems) {
    if (!own_url || problem.key != to_string(kUrl)) settings.problem(problem);
  }
  if (!own_url) apply_url(settings, deployment);
  apply_password(settings, deployment, variables);
  apply_value(settings, deployment.prefix, {"store", "prefix"}, variables);
  apply_value(settings, deployment.count, {"worker", "count"}, variables);
}

namespace {

/// The password alone, of a file that says nothing about where jobs live: that is written elsewhere. One that
/// belongs to another server is not taken.
void apply_password_of(Settings& settings, const std::vector<Variable>& variables) {
  const auto written = written_url(settings);
  if (!written) return;
  const Deployment deployment = read_deployment(variables);
  if (deployment.url && !same_server(*written, *deployment.url)) return;
  apply_password(settings, deployment, variables);
  if (deployment.url && deployment.url->said.password && !deployment.password && !deployment.password_file)
    settings.put({"store", "password"}, json::Value(deployment.url->endpoint.password),
                 deployment.url_origin);
}

bool password_is_set(const Settings& settings) {
  const auto written = written_url(settings);
  return settings.is_set({"store", "password"}) || settings.is_set({"store", "password_file"}) ||
         (written && written->said.password);
}

/// The file that gaur.toml names for its password.
void put_password_file_of_toml(Settings& settings, const Layers& layers) {
  const KeyPath key{"store", "env_file"};
  if (!settings.is_set(key) || password_is_set(settings)) return;
  const std::filesystem::path file = settings.text(key);
  std::vector<Problem> problems;
  const auto variables = read_dotenv(file, shown_name(file, layers.folder), problems);
  apply_password_of(settings, variables);
  for (Problem& problem : problems) {
    if (problem.origin.line == 0) settings.problem(key, std::move(problem.message));
  }
}

/// --env FILE, or .env where it is there. Of the latter, which may be there for something else, the names of
/// the old deployment count only where gaur.toml does not say where jobs live; its password counts with it.
std::vector<Variable> read_env_file(Settings& settings, const Layers& layers) {
  const std::filesystem::path file = (layers.folder / layers.env_file.value_or(".env")).lexically_normal();
  std::error_code ignored;
  if (!layers.env_file && !std::filesystem::exists(file, ignored)) return {};
  std::vector<Problem> problems;
  std::vector<Variable> variables = read_dotenv(file, shown_name(file, layers.folder), problems);
  for (Problem& problem : problems) settings.problem(std::move(problem));
  return variables;
}

std::vector<Variable> passwords_of(const std::vector<Variable>& variables) {
  std::vector<Variable> found;
  std::ranges::copy_if(variables, std::back_inserter(found), [](const Variable& v) {
    return std::ranges::find(kPasswordNames, v.name) != kPasswordNames.end();
  });
  return found;
}

/// Asked for with --env, the names of the deployment are in use here, and as with dotenv the process's own
/// environment wins, name by name. Without it only the password is taken from the process.
void put_environment(Settings& settings, const Layers& layers, const std::vector<Variable>& file,
                     const std::vector<Variable>& process) {
  if (layers.env_file) {
    std::vector<Variable> both = file;
    both.insert(both.end(), process.begin(), process.end());
    apply_deployment(settings, both);
  } else if (settings.is_set(kUrl)) {
    if (!password_is_set(settings)) apply_password_of(settings, file);
  } else {
    apply_deployment(settings, file);
  }
  put_variables(settings, file);
  if (!layers.env_file) apply_password(settings, read_deployment(passwords_of(process)), process);
  put_variables(settings, process);
}

}  // namespace

Settings load(const Layers& layers) {
  Settings settings;
  const std::filesystem::path file = layers.folder / layers.file.value_or("gaur.toml");
  std::error_code ignored;
  std::optional<std::string> in_file;
  if (layers.file || std::filesystem::exists(file, ignored)) {
    in_file = shown_name(file.lexically_normal(), layers.folder);
    if (!put_file(settings, file.lexically_normal(), *in_file)) in_file.reset();  // its names are not known
  }
  put_password_file_of_toml(settings, layers);
  std::vector<Variable> process;
  for (const auto& [name, value] : layers.environment) {
    process.push_back({name, value, {Origin::Kind::kEnvironment, name, 0, 0, layers.folder.string()}});
  }
  put_environment(settings, layers, read_env_file(settings, layers), process);
  for (const std::string& flag : layers.flags) put_flag(settings, flag, layers.folder.string(), in_file);
  return settings;
}

}  // namespace gaur::app
