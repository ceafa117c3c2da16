#pragma once
// What a process occupies, read from /proc. Thread-safety: values and functions without state.
#include <sys/types.h>

#include <cstdint>

namespace gaur::test {

struct ProcessFigures {
  /// Resident memory, and the part of it that is not backed by a file.
  std::uint64_t rss_kib = 0, anonymous_kib = 0;
  std::uint64_t threads = 0;
  std::uint64_t descriptors = 0;
  /// Descendants that run, and those that have exited and were not waited for.
  std::uint64_t processes = 0, zombies = 0;
};

ProcessFigures measure(pid_t pid);

}  // namespace gaur::test
