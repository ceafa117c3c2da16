#pragma once
// Default bounds for what Gaur writes to disk, as shares of the file system.
#include <cstdint>
#include <filesystem>

namespace gaur::app {

/// A quarter of a file system of `capacity` bytes, at least 1 GiB, at most half of it.
std::uint64_t default_disk_share(std::uint64_t capacity);
/// The same for the file system that holds `folder`, or where it does not exist yet, will; 0 (no bound) if
/// unknown.
std::uint64_t default_disk_share_of(const std::filesystem::path& folder);

/// The file system of `folder`. Thread-safety: a value.
struct DiskSpace {
  std::uint64_t capacity = 0;
  std::uint64_t available = 0;
};
DiskSpace disk_space_of(const std::filesystem::path& folder);

}  // namespace gaur::app
