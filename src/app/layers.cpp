#include "app/layers.hpp"

#include <fmt/format.h>

#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

#include "app/suggest.hpp"
#include "app/toml_source.hpp"

namespace gaur::app {
namespace {

constexpr std::string_view kPrefix = "GAUR_";
constexpr std::uintmax_t kLargestFile = 4 << 20;

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
  } else if (equals == std::string_view::npos) {
    settings.problem({origin, to_string(path), "a flag needs a value: --" + to_string(path) + "=VALUE"});
  } else {
    settings.put(path, json::Value(flag.substr(equals + 1)), origin, true);
  }
}

std::string unquoted(std::string_view text) {
  const auto blank = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  if (text.empty()) return "";
  if (text.front() == '"' || text.front() == '\'') {
    const std::size_t end = text.find(text.front(), 1);
    if (end != std::string_view::npos) return std::string(text.substr(1, end - 1));
  }
  const std::size_t comment = text.find(" #");
  text = text.substr(0, comment);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return std::string(text);
}

bool is_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  });
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

std::vector<Variable> parse_dotenv(std::string_view text, const std::string& shown, const std::string& base,
                                   std::vector<Problem>& problems) {
  std::vector<Variable> variables;
  std::uint32_t number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? "" : text.substr(end + 1);
    ++number;
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
    if (line.empty() || line.front() == '#' || line == "\r") continue;
    if (line.starts_with("export ")) line.remove_prefix(7);
    const std::size_t equals = line.find('=');
    const std::string name = equals == std::string_view::npos ? "" : unquoted(line.substr(0, equals));
    const Origin origin{Origin::Kind::kDotEnv, shown, number, 0, base};
    if (!is_name(name)) {
      problems.push_back({origin, "", "a line of .env is NAME=value"});
      continue;
    }
    variables.push_back({name, unquoted(line.substr(equals + 1)), origin});
  }
  return variables;
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

Settings load(const Layers& layers) {
  Settings settings;
  const std::filesystem::path file = layers.folder / layers.file.value_or("gaur.toml");
  std::error_code ignored;
  if (layers.file || std::filesystem::exists(file, ignored)) {
    put_file(settings, file.lexically_normal(), shown_name(file.lexically_normal(), layers.folder));
  }
  const std::filesystem::path dotenv = layers.folder / ".env";
  if (std::filesystem::exists(dotenv, ignored)) {
    std::vector<Problem> problems;
    const auto text = read_file(dotenv);
    if (text) put_variables(settings, parse_dotenv(*text, ".env", layers.folder.string(), problems));
    if (!text) problems.push_back({{Origin::Kind::kDotEnv, ".env", 0, 0, ""}, "", text.error().message});
    for (Problem& problem : problems) settings.problem(std::move(problem));
  }
  std::vector<Variable> variables;
  for (const auto& [name, value] : layers.environment) {
    variables.push_back({name, value, {Origin::Kind::kEnvironment, name, 0, 0, layers.folder.string()}});
  }
  put_variables(settings, variables);
  for (const std::string& flag : layers.flags) put_flag(settings, flag, layers.folder.string());
  return settings;
}

}  // namespace gaur::app
