#pragma once
// What one run used, measured by ourselves: CPU by the kernel's account of this process, memory by its
// high-water mark.
#include <cstdint>

namespace gaur::duckdb {

/// Thread-safety: confined; one at a time a process (the high-water mark is the process's).
class UsageMeter {
 public:
  UsageMeter();  ///< resets the high-water mark, where the kernel allows it
  std::int64_t cpu_us() const;
  static std::int64_t peak_rss_bytes();
  static std::int64_t rss_bytes();

 private:
  std::int64_t cpu_at_start_;
};

}  // namespace gaur::duckdb
