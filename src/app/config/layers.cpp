#include "app/config/layers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

#include "app/config/suggest.hpp"
#include "app/config/toml_source.hpp"
#include "redis/url.hpp"

namespace gaur::app {
namespace {

constexpr std::string_view kPrefix = "GAUR_";
constexpr std::uintmax_t kLargestFile = 4 << 20;
constexpr std::array<std::pair<const char*, const char*>, 2> kPasswordNames{
    {{"REDIS_PASSWORD", "password"}, {"REDIS_PASSWORD_FILE", "password_file"}}};

Result<std::string> read_file(const std::filesystem::path& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) return Error{Errc::kIo, fmt::format("cannot read {}: {}", path.string(), error.message())};
  if (size > kLargestFile) return Error{Errc::kTooLarge, fmt::format("{} is over 4 MiB", path.string())};
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream)
    return Error{Errc::kIo, fmt::format("cannot read {}: {}", path.string(), std::strerror(errno))};
  return text.str();
}

std::string shown_name(const std::filesystem::path& path, const std::filesystem::path& folder) {
  const auto relative = path.lexically_relative(folder);
  return relative.empty() || relative.string().starts_with("..") ? path.string() : relative.string();
}

void put_file(Settings& settings, const std::filesystem::path& path, const std::string& shown) {
  const auto text = read_file(path);
  if (!text) {
    settings.problem({{Origin::Kind::kToml, shown, 0, 0, ""}, "", text.error().message});
    return;
  }
  auto document = parse_toml(*text, shown, path.parent_path().string());
  if (!document) {
    settings.problem(document.error());
    return;
  }
  settings.remember(document->origins);
  const Origin whole{Origin::Kind::kToml, shown, 1, 1, path.parent_path().string()};
  settings.put({}, document->root, whole, false, &document->origins);
}

void put_flag(Settings& settings, std::string_view flag, const std::string& base) {
  const std::size_t equals = flag.find('=');
  const KeyPath path = parse_path(flag.substr(2, equals - 2));
  const Origin origin{Origin::Kind::kFlag, "--" + to_string(path), 0, 0, base};
  const KeyRow* row = find_row(path);
  if (row != nullptr && row->kind == Kind::kSecret) {
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

void put_variables(Settings& settings, const std::vector<Variable>& variables) {
  std::map<std::string, KeyPath> known;
  std::set<std::string> sections;
  for (const EffectiveSetting& key : settings.effective()) known[variable_name(key.path)] = key.path;
  for (const KeyRow& row : schema()) sections.insert(variable_name({std::string(split(row.path)[0])}) + "_");
  std::vector<std::string> names;
  for (const auto& [name, path] : known) names.push_back(name);
  for (const Variable& variable : variables) {
    const bool ours =
        std::ranges::any_of(sections, [&](const auto& s) { return variable.name.starts_with(s); });
    if (!ours) continue;
    if (const auto it = known.find(variable.name); it != known.end()) {
      settings.put(it->second, json::Value(variable.value), variable.origin, true);
      continue;
    }
    std::string message = variable.name + " is no key of the configuration";
    if (const auto near = nearest(variable.name, names)) message += fmt::format("; did you mean {}?", *near);
    settings.problem({variable.origin, "", message});
  }
}

void put_seed_names(Settings& settings, const std::vector<Variable>& variables) {
  std::map<std::string, const Variable*> last;
  for (const Variable& variable : variables) last[variable.name] = &variable;
  const auto find = [&](const char* name) {
    const auto found = last.find(name);
    return found == last.end() ? nullptr : found->second;
  };
  const auto put = [&](const Variable* variable, const KeyPath& path, const std::string& value) {
    if (variable == nullptr || last.contains(variable_name(path))) return;
    settings.put(path, json::Value(value), variable->origin, true);
  };
  const Variable* host = find("REDIS_HOST");
  const Variable* port = find("REDIS_PORT");
  if (host != nullptr || port != nullptr) {
    std::string name = host == nullptr || host->value.empty() ? "127.0.0.1" : host->value;
    if (name.find(':') != std::string::npos && !name.starts_with('[')) name = "[" + name + "]";
    const std::string number = port == nullptr || port->value.empty() ? "6379" : port->value;
    put(host != nullptr ? host : port, {"store", "url"}, fmt::format("redis://{}:{}", name, number));
  }
  const auto put_as_it_is = [&](const char* name, const KeyPath& path) {
    const Variable* variable = find(name);
    if (variable != nullptr && !variable->value.empty()) put(variable, path, variable->value);
  };
  for (const auto& [name, path] : kPasswordNames) put_as_it_is(name, {"store", path});
  put_as_it_is("BULL_QUEUE_NAME", {"store", "prefix"});
  put_as_it_is("BULL_QUEUE_COUNT", {"worker", "count"});
  put_as_it_is("BULL_COUNT", {"worker", "count"});
}

namespace {

/// --env FILE, or .env where it is there. Of the latter, which may be there for something else, the names of
/// the old deployment count only where gaur.toml does not say where jobs live.
void put_env_file(Settings& settings, const Layers& layers) {
  const std::filesystem::path file = (layers.folder / layers.env_file.value_or(".env")).lexically_normal();
  std::error_code ignored;
  if (!layers.env_file && !std::filesystem::exists(file, ignored)) return;
  std::vector<Problem> problems;
  const bool seed_names = layers.env_file || !settings.is_set({"store", "url"});
  const std::vector<Variable> variables = read_dotenv(file, shown_name(file, layers.folder), problems);
  if (seed_names) put_seed_names(settings, variables);
  put_variables(settings, variables);
  for (Problem& problem : problems) settings.problem(std::move(problem));
}

}  // namespace

Settings load(const Layers& layers) {
  Settings settings;
  const std::filesystem::path file = layers.folder / layers.file.value_or("gaur.toml");
  std::error_code ignored;
  if (layers.file || std::filesystem::exists(file, ignored)) {
    put_file(settings, file.lexically_normal(), shown_name(file.lexically_normal(), layers.folder));
  }
  put_env_file(settings, layers);
  std::vector<Variable> variables;
  for (const auto& [name, value] : layers.environment) {
    variables.push_back({name, value, {Origin::Kind::kEnvironment, name, 0, 0, layers.folder.string()}});
  }
  // Asked for with --env, the old names are in use here: as with dotenv, the process's own environment wins.
  // Without it only the password is taken from there: it says nothing about where jobs live.
  std::vector<Variable> seed = variables;
  if (!layers.env_file) {
    std::erase_if(seed, [](const Variable& v) {
      return std::ranges::none_of(kPasswordNames, [&](const auto& row) { return v.name == row.first; });
    });
  }
  put_seed_names(settings, seed);
  put_variables(settings, variables);
  for (const std::string& flag : layers.flags) put_flag(settings, flag, layers.folder.string());
  return settings;
}

}  // namespace gaur::app
