#pragma once
// Moves a result file out of a runner's folder. Thread-safety: pure function of the file system.
#include <atomic>
#include <filesystem>

#include "gaur/result.hpp"

namespace gaur::results {

/// Another thread sets it to end a long move early.
using CancelFlag = std::atomic<bool>;

/// Renames the file, or copies it between file systems, and syncs its content. `to` appears complete or not
/// at all. Errors: kIo; kStopping (cancelled).
Status move_file(const std::filesystem::path& from, const std::filesystem::path& to,
                 const CancelFlag& cancelled);

}  // namespace gaur::results
