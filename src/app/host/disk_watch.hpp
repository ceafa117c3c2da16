#pragma once
// Measures what spill and result files take of their bounds, and warns in the log before a bound is reached.
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "app/config/config.hpp"
#include "base/log.hpp"
#include "base/system_env.hpp"

namespace gaur::app {

struct DiskUse {
  std::uint64_t spill_bytes = 0;  ///< of all files of running runners
  std::uint64_t results_bytes = 0;
  std::uint64_t free_bytes = 0;  ///< of the file system of the data folder
  std::uint64_t capacity = 0;
};

/// Looks now. Walks both folders: not from a thread that others wait for.
DiskUse measure_disk_use(const Config& config);
/// Each bound of which four fifths are used, as a sentence that names the key to change.
std::vector<std::string> disk_warnings(const Config& config, const DiskUse& use);

/// Thread-safety: any thread; measures on a thread of its own.
class DiskWatch {
 public:
  DiskWatch(const Config& config, Clock& clock, Logger log);
  /// As last measured, at most some seconds ago.
  DiskUse use() const;

 private:
  void measure();

  const Config& config_;
  Clock& clock_;
  Logger log_;
  std::atomic<std::uint64_t> spill_ = 0, results_ = 0, free_ = 0, capacity_ = 0;
  std::size_t warned_ = 0;        // warnings at the last look; confined to the loop
  ThreadLoop loop_{"gaur-disk"};  // last: its thread ends before the rest goes
};

}  // namespace gaur::app
