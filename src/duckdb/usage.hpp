#pragma once
// Measures what one run used: CPU time of this process, and its memory high-water mark.
#include <cstdint>

namespace gaur::duckdb {

/// Thread-safety: confined; one at a time a process (the high-water mark is the process's).
class UsageMeter {
 public:
  /// Resets the high-water mark if the kernel allows it.
  UsageMeter();
  std::int64_t cpu_us() const;
  static std::int64_t peak_rss_bytes();
  static std::int64_t rss_bytes();

 private:
  std::int64_t cpu_at_start_;
};

/// True if the allocators have mapped so much address space without pages that the next run would reach
/// RLIMIT_DATA before its grant: the limit counts mappings, and malloc_trim() returns pages but keeps the
/// mappings. Measured: the third run of a query of 414 MB failed under 1 GiB. Always false without a limit.
bool address_space_fragmented();

}  // namespace gaur::duckdb
