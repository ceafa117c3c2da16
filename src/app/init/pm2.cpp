#include "app/init/pm2.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <map>

#include "app/init/pm2_values.hpp"
#include "base/item_list.hpp"
#include "base/try.hpp"

namespace gaur::app {
namespace {

Error wrong(std::string message) {
  return {Errc::kInvalidArgument, std::move(message)};
}

/// Replaces comments and trailing commas by spaces, so that positions in error messages stay right.
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

/// "maxMemoryRestart" for "max_memory_restart". pm2 accepts both.
std::string camel(std::string_view name) {
  std::string text;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool begins = name[i] == '_' && i > 0 && i + 1 < name.size();
    if (begins) ++i;
    text += begins ? static_cast<char>(std::toupper(static_cast<unsigned char>(name[i]))) : name[i];
  }
  return text;
}

Result<Pm2App> read_app(const json::Value& value, std::size_t index) {
  const auto* table = value.if_object();
  if (table == nullptr)
    return wrong(fmt::format("app {} is not an object: {}", index + 1, json::serialize(value)));
  Pm2App app;
  app.number = index + 1;
  std::map<std::string_view, std::string> read;  // row -> the key that gave its value
  for (const auto& [key, entry] : *table) {
    const std::string_view name = key;
    app.settings.emplace_back(name);
    const Pm2Row* row = find_pm2_row(name);
    if (row == nullptr) continue;
    if (row->name != "env_NAME") {
      const auto [it, first] = read.try_emplace(row->name, name);
      // If a setting has two names, pm2 uses the proper name, else one of the aliases.
      if (!first && name != row->name) {
        app.unused.push_back({std::string(name), fmt::format("was not used: {} sets the same", it->second)});
        continue;
      }
      if (!first) app.unused.push_back({it->second, fmt::format("was not used: {} sets the same", name)});
    }
    read_pm2_setting(app, row->name, name, entry);
  }
  std::ranges::sort(app.settings);
  if (app.script.empty())
    return wrong(fmt::format("app {} has no script, so it is not a pm2 app", index + 1));
  if (app.name.empty()) app.name = std::filesystem::path(app.script).stem().string();
  // pm2 uses cluster mode for an app with `instances` and without exec_mode.
  if (app.instances && *app.instances >= -1 && !read.contains("exec_mode")) app.cluster = true;
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

/// The app's name; if other apps have the same name, also its number and script.
std::string name_of(const Pm2App& app, const std::vector<Pm2App>& apps) {
  const bool unique = std::ranges::count(apps, app.name, &Pm2App::name) == 1;
  if (unique) return app.name;
  std::string what = app.script;
  for (const std::string& word : app.args) what += " " + word;
  return fmt::format("{} (app {}: {})", app.name, app.number, what);
}

std::string names_of(const std::vector<Pm2App>& apps) {
  std::string names;
  for (const Pm2App& app : apps) names += (names.empty() ? "" : ", ") + name_of(app, apps);
  return names;
}

}  // namespace

const Pm2Row* find_pm2_row(std::string_view setting) {
  const std::string_view wanted = setting.starts_with("env_") && setting.size() > 4 ? "env_NAME" : setting;
  for (const Pm2Row& row : pm2_rows()) {
    if (row.name == wanted || has_item(row.aliases, ", ", wanted) || camel(row.name) == wanted) return &row;
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
  std::string problems;
  const auto read = [&](const json::Value& value, std::size_t index) {
    auto app = read_app(value, index);
    if (app) return apps.push_back(*std::move(app));
    problems += (problems.empty() ? "" : "; ") + app.error().message;
  };
  if (const auto* list = found->if_array()) {
    for (std::size_t i = 0; i < list->size(); ++i) read((*list)[i], i);
  } else {
    read(*found, 0);
  }
  if (!problems.empty()) return wrong(std::move(problems));
  if (apps.empty()) return wrong("the file contains no app");
  return apps;
}

Result<Pm2App> choose_pm2_app(const std::vector<Pm2App>& apps, const std::string& wanted) {
  if (!wanted.empty()) {
    std::vector<Pm2App> found;
    std::ranges::copy_if(apps, std::back_inserter(found),
                         [&](const Pm2App& app) { return app.name == wanted; });
    if (found.size() == 1) return found.front();
    if (found.size() > 1) {
      return wrong(fmt::format("{} apps have the name \"{}\": {}; choose one by its number: --app {}",
                               found.size(), wanted, names_of(found), found.front().number));
    }
    for (const Pm2App& app : apps) {
      if (std::to_string(app.number) == wanted) return app;
    }
    return Error{Errc::kNotFound,
                 fmt::format("no app has the name \"{}\"; there are {}", wanted, names_of(apps))};
  }
  if (apps.size() == 1) return apps.front();
  const Pm2App* worker = nullptr;
  for (const Pm2App& app : apps) {
    if (looks_like_worker(app)) worker = &app;
  }
  const auto workers = std::ranges::count_if(apps, looks_like_worker);
  if (workers == 1) return *worker;
  return wrong(
      fmt::format("the file has {} apps, of which {} look like workers; choose one with --app NAME ({})",
                  apps.size(), workers, names_of(apps)));
}

}  // namespace gaur::app
