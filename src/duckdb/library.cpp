#include "duckdb/library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cstdlib>

namespace gaur::duckdb {
namespace {

constexpr int kOldestMajor = 1;
constexpr int kOldestMinor = 5;

std::filesystem::path own_folder() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
}

/// "v1.5.6" is at least 1.5. A text that is no version (a build from source) is let through: the symbols
/// decide.
bool new_enough(std::string_view version) {
  if (version.starts_with('v')) version.remove_prefix(1);
  int major = 0;
  int minor = 0;
  const char* end = version.data() + version.size();
  const auto first = std::from_chars(version.data(), end, major);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '.') return true;
  if (std::from_chars(first.ptr + 1, end, minor).ec != std::errc()) return true;
  return major > kOldestMajor || (major == kOldestMajor && minor >= kOldestMinor);
}

Result<std::unique_ptr<const Api>> fill(void* handle, const std::filesystem::path& path) {
  auto api = std::make_unique<Api>();
  std::string missing;
  const auto look = [&](auto& member, const char* name, bool needed) {
    member = reinterpret_cast<std::remove_reference_t<decltype(member)>>(dlsym(handle, name));
    if (member == nullptr && needed && missing.empty()) missing = name;
  };
  look(api->library_version, "duckdb_library_version", true);
  api->path = path;
  api->version = api->library_version != nullptr ? api->library_version() : "";
  if (!new_enough(api->version)) {
    return Error{Errc::kUnsupported, fmt::format("{} is DuckDB {}; {}.{} or newer is needed", path.string(),
                                                 api->version, kOldestMajor, kOldestMinor)};
  }
#define GAUR_DUCKDB_LOOK(name) look(api->name, "duckdb_" #name, true);
  GAUR_DUCKDB_FUNCTIONS(GAUR_DUCKDB_LOOK)
#undef GAUR_DUCKDB_LOOK
  look(api->pending_prepared_streaming, "duckdb_pending_prepared_streaming", false);
  if (!missing.empty()) {
    return Error{Errc::kUnsupported,
                 fmt::format("{} ({}) has no function {}; DuckDB {}.{} or newer is needed", path.string(),
                             api->version.empty() ? "no DuckDB?" : "DuckDB " + api->version, missing,
                             kOldestMajor, kOldestMinor)};
  }
  return Result<std::unique_ptr<const Api>>(std::move(api));
}

}  // namespace

std::vector<std::filesystem::path> library_places(const std::filesystem::path& given) {
  if (!given.empty()) return {given};
  if (const char* named = std::getenv("GAUR_DUCKDB_LIBRARY"); named != nullptr && *named != '\0')
    return {named};
  std::vector<std::filesystem::path> places;
  const auto folder = own_folder();
  places.push_back(folder / "libduckdb.so");
  for (auto above = folder; above.has_relative_path(); above = above.parent_path()) {
    auto place = above / ".deps/duckdb/libduckdb.so";
    std::error_code error;
    if (std::filesystem::exists(place, error)) {
      places.push_back(std::move(place));
      break;
    }
  }
  places.emplace_back("libduckdb.so");
  return places;
}

Result<std::unique_ptr<const Api>> load_library(const std::filesystem::path& given) {
  std::vector<std::string> tried;
  for (const auto& place : library_places(given)) {
    if (void* handle = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL)) return fill(handle, place);
    tried.push_back(dlerror());
  }
  return Error{Errc::kNotFound,
               fmt::format("libduckdb cannot be loaded ({}). Run scripts/setup, or say where it is with "
                           "[pools.*.duckdb] library or GAUR_DUCKDB_LIBRARY",
                           fmt::join(tried, "; "))};
}

}  // namespace gaur::duckdb
