#include "app/host/token_reload.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

namespace gaur::app {

namespace {

bool is_of_tokens(const KeyPath& path) {
  return path[0] == "tokens" || (path[0] == "server" && (path[1] == "token" || path[1] == "token_file"));
}

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

TokenReload::TokenReload(Host& host, const Logger& log, const Loaded& running)
    : host_(host),
      log_(log),
      running_(running),
      files_(running.config.token_files),
      stamps_(stamps_of(files_)) {}

TokenReload::Stamps TokenReload::stamps_of(const std::vector<std::filesystem::path>& files) {
  Stamps stamps;
  for (const auto& file : files) {
    struct stat status {};
    Stamp& stamp = stamps[file];
    if (::stat(file.c_str(), &status) != 0) continue;
    stamp = {.device = status.st_dev,
             .number = status.st_ino,
             .size = status.st_size,
             .modified_ns = nanoseconds(status.st_mtim),
             .changed_ns = nanoseconds(status.st_ctim)};
  }
  return stamps;
}

void TokenReload::check_files() {
  if (files_.empty() || stamps_of(files_) == stamps_) return;
  reload("a token file changed");
}

void TokenReload::reload(const std::string& why) {
  stamps_ = stamps_of(files_);  // before they are read: a later change is noticed
  const Loaded loaded = load_layers(running_.layers);
  if (!loaded.settings.problems().empty()) {
    for (const Problem& problem : loaded.settings.problems())
      log_.error("tokens not reloaded: the configuration has a problem", {{"problem", to_string(problem)}});
    return;
  }
  report_other_changes(loaded.settings);
  if (loaded.config.tokens.empty() && files_.empty()) return;
  if (const Status set = host_.set_tokens(loaded.config.tokens); !set)
    return log_.error("tokens not reloaded", {{"error", set.error().message}});
  std::vector<std::string> names;
  for (const http::TokenGrant& token : loaded.config.tokens) names.push_back(token.name);
  if (files_ != loaded.config.token_files) {
    files_ = loaded.config.token_files;
    stamps_ = stamps_of(files_);
  }
  log_.info("tokens reloaded", {{"why", why}, {"tokens", fmt::format("{}", fmt::join(names, ","))}});
}

/// A reload that silently ignored a change would look like one that applied it.
void TokenReload::report_other_changes(const Settings& settings) const {
  std::map<KeyPath, std::string> before, now;
  for (const EffectiveSetting& key : running_.settings.effective()) before[key.path] = key.shown;
  for (const EffectiveSetting& key : settings.effective()) now[key.path] = key.shown;
  std::vector<std::string> changed;
  for (const auto& [path, shown] : now) {
    const auto found = before.find(path);
    if (!is_of_tokens(path) && (found == before.end() || found->second != shown))
      changed.push_back(to_string(path));
  }
  for (const auto& [path, shown] : before) {
    if (!is_of_tokens(path) && !now.contains(path)) changed.push_back(to_string(path));
  }
  if (!changed.empty())
    log_.warn("changed keys need a restart", {{"keys", fmt::format("{}", fmt::join(changed, ","))}});
}

}  // namespace gaur::app
