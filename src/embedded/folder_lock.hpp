#pragma once
// One process owns a data folder: gaur.lock in it is locked and holds the owner's process id.
#include <filesystem>

#include "base/fd.hpp"

namespace gaur::embedded {

/// Held until the returned descriptor closes; the kernel releases it when the process dies.
/// Errors: kBusy (names the process), kIo.
Result<Fd> lock_folder(const std::filesystem::path& folder);

}  // namespace gaur::embedded
