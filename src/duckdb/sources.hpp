#pragma once
// Detects, before each job, that files which SQL reads were replaced since they were opened: a database file
// may be replaced (mv new.duckdb my.duckdb), overwritten or removed, a link or a folder may be exchanged.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "duckdb/spec.hpp"

namespace gaur::duckdb {

/// The file that a path currently names; all 0 if there is none. Thread-safety: a value.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
  bool operator==(const FileIdentity&) const = default;
  bool same_file(const FileIdentity& other) const { return device == other.device && inode == other.inode; }
};

/// Thread-safety: confined to the thread that runs jobs.
class Sources {
 public:
  /// Records the files that the process could read when it was confined; a renewed program does not know
  /// them.
  Sources(const Spec& spec, bool renewed);

  /// Records the resolved paths of the spec; later changes are compared with them.
  void resolved(const Spec& spec);
  /// Records the files that a new instance has open, with attached databases and their logs (.wal).
  void opened(const Spec& spec);
  void closed() { held_.clear(); }

  /// A path whose file changed since it was opened, or "".
  std::string changed(const Spec& spec) const;
  /// A path that was replaced since the process was confined, or "". Only a new process can read it.
  std::string out_of_reach(const Spec& spec) const;

 private:
  struct HeldFile {
    std::filesystem::path path;
    FileIdentity file;
    FileIdentity log;
  };
  std::vector<FileIdentity> first_;    // of data, then the database
  std::vector<FileIdentity> folders_;  // of data, as last resolved
  std::vector<HeldFile> held_;
};

}  // namespace gaur::duckdb
