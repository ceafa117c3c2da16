#include "app/config/disk_shares.hpp"

#include <algorithm>

namespace gaur::app {

std::uint64_t default_disk_share(std::uint64_t capacity) {
  constexpr std::uint64_t kLeast = 1ULL << 30;
  return std::min(std::max(capacity / 4, kLeast), capacity / 2);
}

DiskSpace disk_space_of(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::path existing = folder;
  while (!std::filesystem::exists(existing, error) && existing.has_relative_path())
    existing = existing.parent_path();
  const auto space = std::filesystem::space(existing.empty() ? "." : existing, error);
  return error ? DiskSpace{} : DiskSpace{space.capacity, space.available};
}

std::uint64_t default_disk_share_of(const std::filesystem::path& folder) {
  return default_disk_share(disk_space_of(folder).capacity);
}

}  // namespace gaur::app
