#pragma once
// What a failed start does to its data folder: nothing that was not there before stays.
#include <filesystem>
#include <set>
#include <string>

namespace gaur::app {

/// Remembers what a data folder held, and removes what a start adds to it, unless keep() was called.
/// Construct before the folder is touched; the destructor runs once no part uses it any more. A folder that
/// is Gaur's already, or that another process took meanwhile, is left alone. Thread-safety: confined.
class NewFolder {
 public:
  explicit NewFolder(std::filesystem::path folder);
  ~NewFolder();
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

  void keep() { kept_ = true; }

 private:
  std::filesystem::path folder_;
  std::filesystem::path topmost_;  ///< of the folders above it that were not there; "": it was there
  std::set<std::string> before_;   ///< names of what was in it
  bool kept_ = false;
};

/// The topmost folder of `path` that is not there; "": all are.
std::filesystem::path topmost_missing(const std::filesystem::path& path);
/// Removes `folder` and those above it up to and including `topmost`, as far as they are empty.
void remove_empty_folders(std::filesystem::path folder, const std::filesystem::path& topmost);

}  // namespace gaur::app
