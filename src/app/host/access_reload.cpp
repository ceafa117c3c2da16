#include "app/host/access_reload.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include "app/host/host_warnings.hpp"
#include "base/system_env.hpp"

namespace gaur::app {

namespace {

/// The kernel's time stamps of files are late by up to a tick.
constexpr Duration kClockTick{20};

/// Keys that a reload applies.
bool is_reloaded(const KeyPath& path) {
  return path[0] == "tokens" ||
         (path[0] == "server" && (path[1].starts_with("token") || path[1].starts_with("tls_")));
}

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

AccessReload::AccessReload(Host& host, const Logger& log, const Loaded& running)
    : host_(host),
      log_(log),
      running_(running),
      had_tokens_(!running.config.tokens.empty()),
      files_(files_of(running.config)),
      stamps_(stamps_as_read(files_, running.begun)) {}

AccessReload::Stamps AccessReload::stamps_of(const std::vector<std::filesystem::path>& files) {
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

AccessReload::Stamps AccessReload::stamps_as_read(const std::vector<std::filesystem::path>& files,
                                                  Time begun) {
  Stamps stamps = stamps_of(files);
  const std::int64_t since_ns = to_ms(begun - kClockTick) * 1'000'000;
  for (auto& [file, stamp] : stamps) {
    if (stamp.changed_ns >= since_ns) stamp = {};
  }
  return stamps;
}

std::vector<std::filesystem::path> AccessReload::files_of(const Config& config) {
  std::vector<std::filesystem::path> files = config.token_files;
  for (const auto& file : {config.tls.certificate, config.tls.key, config.tls.client_ca}) {
    if (!file.empty()) files.push_back(file);
  }
  return files;
}

void AccessReload::check_files() {
  if (files_.empty() || stamps_of(files_) == stamps_) return;
  reload("a file changed");
}

void AccessReload::reload(const std::string& why) {
  stamps_ = stamps_of(files_);  // before they are read: a later change is noticed
  const Loaded loaded = load_layers(running_.layers);
  if (!loaded.settings.problems().empty()) {
    for (const Problem& problem : loaded.settings.problems())
      log_.error("configuration not reloaded: it has a problem", {{"problem", to_string(problem)}});
    return;
  }
  log_.info("configuration reloaded", {{"why", why}});
  report_other_changes(loaded.settings);
  reload_tokens(loaded.config);
  reload_tls(loaded.config);
  if (const auto files = files_of(loaded.config); files != files_) {
    files_ = files;
    stamps_ = stamps_as_read(files_, loaded.begun);
  }
}

void AccessReload::reload_tokens(const Config& config) {
  if (config.tokens.empty() && !had_tokens_) return;
  if (const Status set = host_.set_tokens(config.tokens); !set)
    return log_.error("tokens not reloaded", {{"error", set.error().message}});
  had_tokens_ = true;
  std::vector<std::string> names;
  for (const http::TokenGrant& token : config.tokens) names.push_back(token.name);
  log_.info("tokens reloaded", {{"tokens", fmt::format("{}", fmt::join(names, ","))}});
}

void AccessReload::reload_tls(const Config& config) {
  if (!config.tls.on() && !running_.config.tls.on()) return;
  if (const Status set = host_.set_tls(config.tls); !set)
    return log_.error("TLS not reloaded", {{"error", set.error().message}});
  log_.info("TLS reloaded", {{"certificate", config.tls.certificate.string()}});
  if (const auto warning = certificate_warning(config, SystemClock().wall())) log_.warn(*warning);
}

/// A reload that silently ignored a change would look like one that applied it.
void AccessReload::report_other_changes(const Settings& settings) const {
  std::map<KeyPath, std::string> before, now;
  for (const EffectiveSetting& key : running_.settings.effective()) before[key.path] = key.shown;
  for (const EffectiveSetting& key : settings.effective()) now[key.path] = key.shown;
  std::vector<std::string> changed;
  for (const auto& [path, shown] : now) {
    const auto found = before.find(path);
    if (!is_reloaded(path) && (found == before.end() || found->second != shown))
      changed.push_back(to_string(path));
  }
  for (const auto& [path, shown] : before) {
    if (!is_reloaded(path) && !now.contains(path)) changed.push_back(to_string(path));
  }
  if (!changed.empty())
    log_.warn("changed keys need a restart", {{"keys", fmt::format("{}", fmt::join(changed, ","))}});
}

}  // namespace gaur::app
