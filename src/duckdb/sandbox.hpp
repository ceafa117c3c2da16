#pragma once
// The second fence around SQL, by the kernel: Landlock confines the process to reading what the spec names
// and what the program and its libraries need, and to writing its own folders, whatever DuckDB itself would
// allow.
#include <filesystem>
#include <string>
#include <vector>

#include "duckdb/library.hpp"
#include "duckdb/spec.hpp"

namespace gaur::duckdb {

struct SandboxPaths {
  std::filesystem::path spec_file;           ///< read again by a renewed program
  std::vector<std::filesystem::path> write;  ///< folders for spill and results
};

/// Confines the calling thread and the threads that it starts later. Call it after libduckdb is loaded and
/// before other threads exist. Errors: kUnsupported with the reason (no Landlock here, no folder to write
/// to); kIo.
Status confine(const Spec& spec, const SandboxPaths& paths);

}  // namespace gaur::duckdb
