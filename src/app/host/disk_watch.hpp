#pragma once
// Measures the disk use of spill and result files and logs a warning before a limit is reached.
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
  /// All files of running runners.
  std::uint64_t spill_bytes = 0;
  std::uint64_t results_bytes = 0;
  /// On the file system of the data folder.
  std::uint64_t free_bytes = 0;
  std::uint64_t capacity = 0;
};

/// Measures now. Walks both folders, so call it on a thread that may block.
DiskUse measure_disk_use(const Config& config);
/// One sentence for each limit of which 80 % are used; it names the configuration key to change.
std::vector<std::string> disk_warnings(const Config& config, const DiskUse& use);

/// Thread-safety: any thread; measures on its own thread.
class DiskWatch {
 public:
  DiskWatch(const Config& config, Clock& clock, Logger log);
  /// The last measurement, at most 15 s old.
  DiskUse use() const;

 private:
  void measure();

  const Config& config_;
  Clock& clock_;
  Logger log_;
  std::atomic<std::uint64_t> spill_ = 0, results_ = 0, free_ = 0, capacity_ = 0;
  std::size_t warned_ = 0;        // number of warnings at the last measurement; confined to the loop
  ThreadLoop loop_{"gaur-disk"};  // last, so that its thread ends before the other members are destroyed
};

}  // namespace gaur::app
