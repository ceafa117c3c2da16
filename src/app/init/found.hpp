#pragma once
// What `gaur init --look` concludes from the jobs of the queues that it found. Thread-safety: pure functions.
#include <string>
#include <vector>

#include "app/init/draft.hpp"
#include "app/look/statistics.hpp"

namespace gaur::app {

struct QueueJobs {
  std::string queue;
  /// Kept and waiting.
  std::vector<KeptJob> jobs;
};

/// Puts queues, where the jobs of each say their function, and the functions into `inputs`, in place of what
/// is there. Names that a gaur.toml cannot have become notes.
void put_found(InitInputs& inputs, const std::vector<QueueJobs>& found);

}  // namespace gaur::app
