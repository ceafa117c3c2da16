#pragma once
// Whether the files that SQL reads are still those that were opened: a database file may be replaced (mv
// new.duckdb my.duckdb), written over or removed, a link may lead elsewhere, a folder may be exchanged.
// Looked at before each job.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "duckdb/spec.hpp"

namespace gaur::duckdb {

/// What a path leads to now; all 0 where nothing is. Thread-safety: a value.
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
  /// Remembers what the process could reach when it was confined; a renewed program does not know that.
  Sources(const Spec& spec, bool renewed);

  /// The spec's paths were resolved: from now on changes are told against these.
  void resolved(const Spec& spec);
  /// An instance was opened: remembers the files that it holds open, attached databases included, and their
  /// logs (.wal).
  void opened(const Spec& spec);
  void closed() { held_.clear(); }

  /// The path that leads to something else than when it was opened, or "".
  std::string changed(const Spec& spec) const;
  /// The path that was replaced since the process was confined and that it may therefore not read, or "":
  /// only a new process can.
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
