#pragma once
// The second protection against SQL, by the kernel: Landlock allows the process to read what the spec names
// and what the program and its libraries need, and to write its own folders, whatever DuckDB itself allows.
#include <filesystem>
#include <string>
#include <vector>

#include "duckdb/library.hpp"
#include "duckdb/spec.hpp"

namespace gaur::duckdb {

struct SandboxPaths {
  /// Read again by a renewed program.
  std::filesystem::path spec_file;
  /// Folders for spill and results.
  std::vector<std::filesystem::path> write;
};

/// Confines the calling thread and the threads that it starts later. Call it after libduckdb is loaded and
/// before other threads exist. Errors: kUnsupported with the reason (no Landlock here, no folder to write
/// to); kIo.
Status confine(const Spec& spec, const SandboxPaths& paths);

}  // namespace gaur::duckdb
