#pragma once
// A temporary folder for one test, in memory if the machine has /dev/shm. The destructor removes it.
// Thread-safety: confined to the test's thread.
#include <stdlib.h>

#include <filesystem>
#include <string>

namespace gaur::test {

class TempFolder {
 public:
  TempFolder() {
    const std::filesystem::path base =
        std::filesystem::is_directory("/dev/shm") ? "/dev/shm" : std::filesystem::temp_directory_path();
    std::string name = (base / "gaur-embedded-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace gaur::test
