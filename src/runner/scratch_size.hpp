#pragma once
// Measures the scratch folders of runners. Thread-safety: pure.
#include <atomic>
#include <cstdint>
#include <filesystem>

namespace gaur {

/// Disk space in bytes that the files and folders below `folder` occupy, as du counts it. Follows no symbolic
/// link; files that disappear meanwhile count as they were found. Returns early once `stop` is true. A file
/// that was deleted while a process has it open is not found.
std::uint64_t scratch_size(const std::filesystem::path& folder, const std::atomic<bool>& stop);

}  // namespace gaur
