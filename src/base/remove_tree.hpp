#pragma once
// Removal of folders that another program filled, which may be hostile. Thread-safety: any thread.
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "gaur/result.hpp"

namespace gaur {

/// Removes `path` and everything below it: at any depth with few open descriptors, also folders without
/// permissions. Follows no symbolic link. A path that does not exist is a success. Errors: kIo, with the
/// path.
Status remove_tree(const std::filesystem::path& path);

/// Removes what is in an open folder except the names in `kept`, at most `most` entries. Follows no symbolic
/// link. Errors: kIo; kTooLarge (more entries, or another process creates more).
Status remove_entries(int folder, const std::set<std::string>& kept, std::size_t most);

/// Opens a folder of the open folder `parent`, and first gives its owner all permissions. Follows no symbolic
/// link. An empty Fd if it is no folder; errno says why.
Fd open_folder_at(int parent, const std::string& name);

/// At most `most` names in an open folder, from its begin, without "." and "..".
std::vector<std::string> names_in(int folder, std::size_t most);

}  // namespace gaur
