#pragma once
// A log of what this process writes to one file, and of its syncs. write_log.cpp defines the functions of
// libc that LMDB calls; a program that links it uses them instead of libc's.
// Thread-safety: internally locked.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace gaur::crash {

struct LoggedWrite {
  std::uint64_t offset = 0;
  /// Empty: a sync of the file.
  std::string bytes;
  /// Written through a descriptor with O_DSYNC: on disk when the call returned.
  bool durable = false;
  bool is_sync() const { return bytes.empty(); }
};

/// Begins an empty log of the file, which need not exist yet.
void record_writes(const std::filesystem::path& file);
/// Number of entries so far: what they contain happened before.
std::size_t logged_writes();
/// Ends the log and returns it.
std::vector<LoggedWrite> take_write_log();

}  // namespace gaur::crash
