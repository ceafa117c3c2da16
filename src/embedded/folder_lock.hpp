#pragma once
// One process owns a data folder: it locks the file gaur.lock in it and writes its process id there.
#include <filesystem>

#include "base/fd.hpp"

namespace gaur::embedded {

/// The lock lasts until the returned descriptor closes; the kernel releases it when the process dies.
/// Errors: kBusy (names the process), kIo.
Result<Fd> lock_folder(const std::filesystem::path& folder);

}  // namespace gaur::embedded
