#pragma once
// A failed start removes everything that it created in its data folder.
#include <filesystem>
#include <set>
#include <string>

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

/// The topmost folder of `path` that does not exist; "": all exist.
std::filesystem::path topmost_missing(const std::filesystem::path& path);
/// Removes `folder` and its parents up to and including `topmost`, as long as they are empty.
void remove_empty_folders(std::filesystem::path folder, const std::filesystem::path& topmost);

}  // namespace gaur::app
