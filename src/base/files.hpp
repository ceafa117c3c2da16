#pragma once
// Durable files and folders: writes are atomic and synced before the call returns, and folders are listed
// without exceptions. Thread-safety: any thread; two writers of one path need a lock of their own (the data
// folder has one).
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "gaur/result.hpp"

namespace gaur {

/// Writes `text` to `file`: after a crash or a power cut at any moment the file has its old content or all of
/// the new. Writes to `<file>.part`, syncs it, renames it, syncs the folder. Missing folders are made, with
/// mode 0750 if `mode` keeps others from reading the file. A failed call leaves no part file. Errors: kIo,
/// with the path.
Status write_file(const std::filesystem::path& file, std::string_view text, mode_t mode = 0666);

/// Reads a whole regular file of at most `most` bytes. Errors, with the path: kNotFound,
/// kInvalidArgument (not a regular file), kTooLarge, kIo (also when reading fails after the open).
Result<std::string> read_file(const std::filesystem::path& file, std::uintmax_t most);

/// Makes a folder and those above it; each new one is on disk when the call returns. Errors: kIo, with the
/// path.
Status make_folders(const std::filesystem::path& folder, mode_t mode = 0777);

/// Opens a file in a folder of Gaur's own: of the last `own` parts of `path` none may be a symbolic link or
/// "..", also not while it is opened. `flags` as for open(2). Errors: kNotFound, kIo, with the path.
Result<Fd> open_own(const std::filesystem::path& path, int own, int flags);

/// Puts the names in a folder on disk: after a rename or a removal in it. Errors: kIo, with the path.
Status sync_folder(const std::filesystem::path& folder);

/// Renames a file or folder; the new name is on disk when the call returns. A file at `to` is replaced, a
/// folder there must be empty. Errors: kIo, with the path.
Status rename_durably(const std::filesystem::path& from, const std::filesystem::path& to);

/// Exchanges two folders under the same parent in one step, also on disk. Errors: kIo, with the path.
Status exchange_folders(const std::filesystem::path& one, const std::filesystem::path& other);

/// What a folder contains, in no order, without "." and "..". Stops at an error that occurs on the way, where
/// the increment of a range-based for would throw; `error` then says which.
std::vector<std::filesystem::path> entries_of(const std::filesystem::path& folder, std::error_code& error);

}  // namespace gaur
