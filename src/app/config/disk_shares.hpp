#pragma once
// Default limits of the disk space that Gaur uses, as shares of the file system.
#include <cstdint>
#include <filesystem>

namespace gaur::app {

/// A quarter of a file system of `capacity` bytes, at least 1 GiB, at most half of it.
std::uint64_t default_disk_share(std::uint64_t capacity);
/// The same for the file system of `folder`, or of its nearest existing parent. 0 (no limit) if unknown.
std::uint64_t default_disk_share_of(const std::filesystem::path& folder);

/// The file system of `folder`. Thread-safety: a value.
struct DiskSpace {
  std::uint64_t capacity = 0;
  std::uint64_t available = 0;
};
DiskSpace disk_space_of(const std::filesystem::path& folder);

}  // namespace gaur::app
