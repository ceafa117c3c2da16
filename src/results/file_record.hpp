#pragma once
// The small JSON file <id>.json beside each result file: its format, row count and expiry.
// Thread-safety: pure functions of the file system.
#include <cstdint>
#include <filesystem>
#include <string>

#include "gaur/names.hpp"
#include "gaur/result.hpp"

namespace gaur::results {

struct FileRecord {
  std::string format;
  /// 0: unknown.
  std::uint64_t rows = 0;
  Time expires_at{};
};

/// Errors: kNotFound, kCorrupt (not a record), kIo (the record may be valid).
Result<FileRecord> read_record(const std::filesystem::path& path);
/// Writes the record and syncs its folder. Errors: kIo.
Status write_record(const std::filesystem::path& path, const FileRecord& record);

/// Returns `name` if it consists of A-Z a-z 0-9 - _ and has at most 128 bytes, else "~" and its base64url,
/// shortened with a hash to 200 bytes: no name can point to another folder.
std::string file_name_of(const std::string& name);

}  // namespace gaur::results
