#include "app/init/pm2.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <filesystem>

namespace gaur::app {
namespace {

Error wrong(std::string message) {
  return {Errc::kInvalidArgument, std::move(message)};
}

/// JSON without comments and trailing commas; every byte of them becomes a space, so that places stay.
std::string strict_json(std::string_view text) {
  std::string clean(text);
  std::size_t comma = std::string::npos;  // the last token, if it was a comma
  for (std::size_t i = 0; i < clean.size(); ++i) {
    const char c = clean[i];
    if (c == '"') {
      for (++i; i < clean.size() && clean[i] != '"'; ++i) i += clean[i] == '\\' ? 1 : 0;
      comma = std::string::npos;
    } else if (c == '/' && i + 1 < clean.size() && (clean[i + 1] == '/' || clean[i + 1] == '*')) {
      const bool line = clean[i + 1] == '/';
      std::size_t end = clean.find(line ? "\n" : "*/", i + 2);
      end = end == std::string::npos ? clean.size() : end + (line ? 0 : 2);
      for (; i < end; ++i) clean[i] = clean[i] == '\n' ? '\n' : ' ';
      --i;
    } else if (c == '}' || c == ']') {
      if (comma != std::string::npos) clean[comma] = ' ';
      comma = std::string::npos;
    } else if (c == ',') {
      comma = i;
    } else if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
      comma = std::string::npos;
    }
  }
  return clean;
}

std::string as_text(const json::Value& value) {
  return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

/// A number, or a text that is one as a whole or begins with one and ends in a unit of `units`.
std::optional<double> number(const json::Value& value, const std::map<char, double>& units = {}) {
  if (value.is_number()) return value.to_number<double>();
  if (!value.is_string()) return std::nullopt;
  std::string_view text = value.get_string();
  double factor = 1;
  if (!text.empty() && units.contains(text.back())) {
    factor = units.at(text.back());
    text.remove_suffix(1);
  }
  double amount = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), amount);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return amount * factor;
}

const std::map<char, double> kBytes{{'G', 1024.0 * 1024 * 1024}, {'M', 1024.0 * 1024}, {'K', 1024.0}};
const std::map<char, double> kTimes{{'h', 3'600'000.0}, {'m', 60'000.0}, {'s', 1000.0}};

/// A list, or one text in which words and "quoted words" stand.
std::vector<std::string> words(const json::Value& value) {
  std::vector<std::string> found;
  if (const auto* list = value.if_array()) {
    for (const json::Value& entry : *list) found.push_back(as_text(entry));
    return found;
  }
  std::string word;
  char quote = 0;
  for (const char c : as_text(value)) {
    if (quote != 0 ? c == quote : c == '"' || c == '\'') {
      quote = quote != 0 ? '\0' : c;
    } else if (quote == 0 && c == ' ') {
      if (!word.empty()) found.push_back(std::move(word));
      word.clear();
    } else {
      word += c;
    }
  }
  if (!word.empty()) found.push_back(std::move(word));
  return found;
}

std::map<std::string, std::string> variables(const json::Value& value) {
  std::map<std::string, std::string> found;
  if (const auto* table = value.if_object()) {
    for (const auto& [name, entry] : *table) found[std::string(name)] = as_text(entry);
  }
  return found;
}

std::optional<std::int64_t> milliseconds(const json::Value& value) {
  const auto amount = number(value, kTimes);
  if (!amount) return std::nullopt;
  return static_cast<std::int64_t>(*amount);
}

bool truth(const json::Value& value) {
  return value.is_bool() ? value.as_bool() : as_text(value) == "true";
}

void read_instances(Pm2App& app, const json::Value& value) {
  if (as_text(value) == "max") {
    app.instances = 0;
  } else if (const auto count = number(value)) {
    app.instances = static_cast<std::int64_t>(*count);
  }
}

/// Where a row of the table is read; the rows without a reader are only named in `settings`.
void read_setting(Pm2App& app, std::string_view name, const json::Value& value) {
  if (name == "name") app.name = as_text(value);
  if (name == "script") app.script = as_text(value);
  if (name == "cwd") app.cwd = as_text(value);
  if (name == "exec_interpreter") app.interpreter = as_text(value);
  if (name == "args") app.args = words(value);
  if (name == "node_args") app.node_args = words(value);
  if (name == "instances") read_instances(app, value);
  if (name == "exec_mode") app.cluster = as_text(value).starts_with("cluster");
  if (name == "env") app.env = variables(value);
  if (name == "kill_timeout") app.kill_timeout_ms = milliseconds(value);
  if (name == "listen_timeout") app.listen_timeout_ms = milliseconds(value);
  if (name == "min_uptime") app.min_uptime_ms = milliseconds(value);
  if (name == "max_restarts") app.max_restarts = milliseconds(value);
  if (name == "wait_ready") app.wait_ready = truth(value);
  if (name == "max_memory_restart") {
    if (const auto bytes = number(value, kBytes)) app.max_memory_bytes = static_cast<std::uint64_t>(*bytes);
  }
}

Result<Pm2App> read_app(const json::Value& value, std::size_t index) {
  const auto* table = value.if_object();
  if (table == nullptr)
    return wrong(fmt::format("app {} is no object: {}", index + 1, json::serialize(value)));
  Pm2App app;
  for (const auto& [key, entry] : *table) {
    const std::string_view name = key;
    app.settings.emplace_back(name);
    if (const Pm2Row* row = find_pm2_row(name)) read_setting(app, row->name, entry);
    if (name.starts_with("env_")) app.env_of[std::string(name.substr(4))] = variables(entry);
  }
  std::ranges::sort(app.settings);
  if (app.script.empty())
    return wrong(fmt::format("app {} has no script, so it is no app of pm2's", index + 1));
  if (app.name.empty()) app.name = std::filesystem::path(app.script).stem().string();
  // pm2 makes a cluster of what says `instances` and no exec_mode.
  if (app.instances && *app.instances >= -1 && table->if_contains("exec_mode") == nullptr) app.cluster = true;
  return app;
}

bool looks_like_worker(const Pm2App& app) {
  for (const char* variable : {"BULL_COUNT", "BULL_QUEUE_COUNT"}) {
    if (const auto it = app.env.find(variable); it != app.env.end()) return it->second != "0";
  }
  std::string text = app.name + " " + std::filesystem::path(app.script).filename().string();
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::ranges::any_of(std::array{"worker", "runner", "consumer"},
                             [&](const char* word) { return text.find(word) != std::string::npos; });
}

std::string names_of(const std::vector<Pm2App>& apps) {
  std::string names;
  for (const Pm2App& app : apps) names += (names.empty() ? "" : ", ") + app.name;
  return names;
}

bool has_alias(std::string_view aliases, std::string_view setting) {
  while (!aliases.empty()) {
    const std::size_t end = aliases.find(", ");
    if (aliases.substr(0, end) == setting) return true;
    aliases = end == std::string_view::npos ? "" : aliases.substr(end + 2);
  }
  return false;
}

}  // namespace

const Pm2Row* find_pm2_row(std::string_view setting) {
  const std::string_view wanted = setting.starts_with("env_") && setting.size() > 4 ? "env_NAME" : setting;
  for (const Pm2Row& row : pm2_rows()) {
    if (row.name == wanted || has_alias(row.aliases, wanted)) return &row;
  }
  return nullptr;
}

std::string pm2_table() {
  std::string text = "| pm2 | here | what changes |\n|---|---|---|\n";
  for (const Pm2Row& row : pm2_rows()) {
    std::string names = fmt::format("`{}`", row.name);
    if (!row.aliases.empty()) names += fmt::format(" ({})", row.aliases);
    const std::string_view here = !row.counterpart.empty()        ? row.counterpart
                                  : row.fate == Pm2Fate::kBuiltIn ? "built in"
                                                                  : "none";
    text += fmt::format("| {} | {} | {} |\n", names, here, row.why);
  }
  return text;
}

std::uint32_t Pm2App::processes(std::uint32_t cores) const {
  const std::int64_t asked = instances.value_or(1);
  const std::int64_t count = asked > 0 ? asked : static_cast<std::int64_t>(cores) + asked;
  return static_cast<std::uint32_t>(std::max<std::int64_t>(1, count));
}

std::map<std::string, std::string> Pm2App::environment(const std::string& wanted) const {
  std::map<std::string, std::string> merged = env;
  if (const auto it = env_of.find(wanted); it != env_of.end()) {
    for (const auto& [variable, value] : it->second) merged[variable] = value;
  }
  return merged;
}

Result<std::vector<Pm2App>> parse_pm2(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  GAUR_TRY(const json::Value root, json::parse(strict_json(text)));
  const json::Value* found = &root;
  if (const auto* table = root.if_object()) {
    for (const char* key : {"apps", "pm2"}) {
      if (const json::Value* inner = table->if_contains(key); inner != nullptr && found == &root)
        found = inner;
    }
  }
  std::vector<Pm2App> apps;
  if (const auto* list = found->if_array()) {
    for (std::size_t i = 0; i < list->size(); ++i) {
      GAUR_TRY(Pm2App app, read_app((*list)[i], i));
      apps.push_back(std::move(app));
    }
  } else {
    GAUR_TRY(Pm2App app, read_app(*found, 0));
    apps.push_back(std::move(app));
  }
  if (apps.empty()) return wrong("it names no app");
  return apps;
}

Result<Pm2App> choose_pm2_app(const std::vector<Pm2App>& apps, const std::string& wanted) {
  if (!wanted.empty()) {
    for (const Pm2App& app : apps) {
      if (app.name == wanted) return app;
    }
    return Error{Errc::kNotFound,
                 fmt::format("no app is called \"{}\"; there are {}", wanted, names_of(apps))};
  }
  if (apps.size() == 1) return apps.front();
  const Pm2App* worker = nullptr;
  for (const Pm2App& app : apps) {
    if (looks_like_worker(app)) worker = &app;
  }
  const auto workers = std::ranges::count_if(apps, looks_like_worker);
  if (workers == 1) return *worker;
  return wrong(fmt::format("{} apps, and {} of them look like the worker; say which one: --app NAME ({})",
                           apps.size(), workers, names_of(apps)));
}

}  // namespace gaur::app
