#pragma once
// Files that contain a secret, such as a token or a password. Thread-safety: any thread.
#include <filesystem>
#include <string>
#include <vector>

#include "gaur/result.hpp"

namespace gaur {

/// Reads the lines of a secret file of at most 64 KiB, without their ends (LF or CR LF) and without empty
/// lines at the end; at least one line. Symbolic links are followed, because secrets are often mounted as
/// links. Errors, with the path and what to do: kIo (not readable, a folder), kTooLarge, kInvalidArgument
/// (the first line is empty or white space, or a NUL byte occurs).
Result<std::vector<std::string>> read_secret_file(const std::filesystem::path& file);

}  // namespace gaur
