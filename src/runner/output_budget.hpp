#pragma once
// How much of a runner's stdout and stderr reaches the log: a budget for each run and for each second.
// Thread-safety: confined.
#include <cstdint>

#include "gaur/names.hpp"

namespace gaur {

/// Bytes; 0: no limit.
struct OutputLimits {
  std::uint64_t per_run = 0;
  std::uint64_t per_second = 0;
};

class OutputBudget {
 public:
  /// Counted for each line beside its own bytes: time, level and fields of its log line.
  static constexpr std::uint64_t kLineOverhead = 100;
  struct Dropped {
    std::uint64_t lines = 0, bytes = 0;
  };

  explicit OutputBudget(OutputLimits limits) : limits_(limits) {}
  /// Whether a line of so many bytes may be logged. If not, it counts as dropped.
  bool take(std::uint64_t bytes, Instant now);
  /// What was dropped since the last call.
  Dropped report();
  /// Something was dropped because of the second that has now ended.
  bool second_ended(Instant now) const;
  /// A run begins: its budget is full again.
  void begin_run() { of_run_ = 0; }

 private:
  OutputLimits limits_;
  std::uint64_t of_run_ = 0, of_second_ = 0;
  Instant second_began_{};
  /// The newest drop was for the limit of a second.
  bool for_second_ = false;
  Dropped dropped_;
};

}  // namespace gaur
