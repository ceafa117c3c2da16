#pragma once
// One process owns a data folder: it locks the file gaur.lock in it and writes its process id there.
#include <filesystem>

#include "base/fd.hpp"

namespace gaur::embedded {

/// Rejects a data folder of another user before anything is written to it: a host that root starts by hand
/// would leave files that the folder's own user cannot read. Root may use a folder of another user in which
/// every file is root's, such as a volume of a container. Errors: kPermission, with what to type.
Status check_folder_owner(const std::filesystem::path& folder);

/// The lock lasts until the returned descriptor closes; the kernel releases it when the process dies.
/// Errors: kBusy (names the process), kIo.
Result<Fd> lock_folder(const std::filesystem::path& folder);

}  // namespace gaur::embedded
