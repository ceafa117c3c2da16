#pragma once
// The data folder at a start: it contains no symbolic links, and a failed start removes everything that it
// created there.
#include <filesystem>
#include <set>
#include <string>

#include "gaur/result.hpp"

namespace gaur::app {

/// Records the content of a data folder, and removes what a start adds to it unless keep() was called.
/// Construct it before the folder is used; destroy it after every part that uses the folder. A folder that
/// Gaur has used before, or that another process has locked meanwhile, is not changed. Thread-safety:
/// confined.
class NewFolder {
 public:
  explicit NewFolder(std::filesystem::path folder);
  ~NewFolder();
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

  void keep() { kept_ = true; }

 private:
  std::filesystem::path folder_;
  /// Topmost folder that did not exist; "": the folder existed.
  std::filesystem::path topmost_;
  /// Names of its entries before the start.
  std::set<std::string> before_;
  bool kept_ = false;
};

/// Rejects symbolic links in the data folder: a link named run would make a start empty the link's target.
/// The data folder itself may be one. Errors: kInvalidArgument, naming the link and what to do.
Status check_no_links(const std::filesystem::path& data_folder);

/// The topmost folder of `path` that does not exist; "": all exist.
std::filesystem::path topmost_missing(const std::filesystem::path& path);
/// Removes `folder` and its parents up to and including `topmost`, as long as they are empty.
void remove_empty_folders(std::filesystem::path folder, const std::filesystem::path& topmost);

}  // namespace gaur::app
