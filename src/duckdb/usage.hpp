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

/// True when the allocators hold so much address space without memory behind it that the next run would meet
/// RLIMIT_DATA long before its grant: the limit counts what is mapped, and malloc_trim gives pages back but
/// keeps their addresses. [measured: a query of 414 MB failed at the third time under 1 GiB]. Without a limit
/// never.
bool address_space_fragmented();

}  // namespace gaur::duckdb
