#pragma once
// The instance that checks prepare functions in: small, with its own temporary folder. Thread-safety:
// confined.
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "duckdb/instance.hpp"

namespace gaur::duckdb {

/// A temporary folder; removed by the destructor.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::error_code error;
    auto pattern = (std::filesystem::temp_directory_path(error) / "gaur-duckdb-check-XXXXXX").string();
    if (mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~ScratchFolder() {
    std::error_code error;
    if (!path_.empty()) std::filesystem::remove_all(path_, error);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Opens the spec's database. Errors: those of Instance::open().
inline Run<std::unique_ptr<Instance>> open_for_check(const Api& api, const Spec& spec,
                                                     const ScratchFolder& scratch) {
  constexpr std::uint64_t kMemory = 512 << 20;  // enough to prepare; nothing runs
  return Instance::open(api, spec, {.threads = 1, .grant = kMemory, .spill = scratch.path(), .out = {}});
}

}  // namespace gaur::duckdb
