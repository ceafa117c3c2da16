#include "app/config/private_paths.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "redis/url.hpp"

namespace gaur::app {
namespace {

namespace fs = std::filesystem;

bool is_secret(const EffectiveSetting& setting, const Settings& settings) {
  if (setting.row->kind == Kind::kSecret) return true;
  if (setting.row->kind != Kind::kStoreUrl) return false;
  const auto url = redis::parse_url(settings.text(setting.path));
  return url && !url->endpoint.password.empty();
}

/// gaur.toml or .env, if it sets a secret.
std::optional<fs::path> file_with_secret(const EffectiveSetting& setting, const Settings& settings) {
  const Origin& origin = setting.origin;
  const bool from_file = origin.kind == Origin::Kind::kToml || origin.kind == Origin::Kind::kDotEnv;
  if (!from_file || !is_secret(setting, settings)) return std::nullopt;
  return fs::path(origin.base) / fs::path(origin.name).filename();
}

}  // namespace

std::vector<PrivatePath> private_paths(const Settings& settings, const Config& config) {
  std::vector<PrivatePath> found;
  const auto put = [&](const fs::path& path, std::string what, bool readable = false) {
    fs::path place = resolved(path);
    const bool known = std::ranges::any_of(found, [&](const auto& each) { return each.path == place; });
    if (!known) found.push_back({std::move(place), std::move(what), readable});
  };
  put(config.data_folder, "the data folder");
  if (config.results.shared) put(config.results.folder, "result files", true);
  for (const EffectiveSetting& setting : settings.effective()) {
    if (!settings.is_set(setting.path)) continue;
    const std::string key = to_string(setting.path);
    if (setting.row->names_secret && !settings.text(setting.path).empty())
      put(settings.text(setting.path), key);
    if (const auto file = file_with_secret(setting, settings)) put(*file, "contains " + key);
  }
  return found;
}

fs::path resolved(fs::path path) {
  constexpr int kMostLinks = 40;
  std::error_code problem;
  for (int i = 0; i < kMostLinks; ++i) {
    const fs::path found = fs::weakly_canonical(path, problem);
    path = problem ? fs::absolute(path, problem).lexically_normal() : found;
    if (!fs::is_symlink(path, problem)) break;
    path = path.parent_path() / fs::read_symlink(path, problem);
  }
  return path;
}

bool overlap(const fs::path& one, const fs::path& other) {
  const auto [differs, there] = std::ranges::mismatch(one, other);
  return differs == one.end() || there == other.end();
}

}  // namespace gaur::app
