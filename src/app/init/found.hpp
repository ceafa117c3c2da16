#pragma once
// Derives queues and functions from the jobs that `gaur init --look` found. Thread-safety: pure functions.
#include <string>
#include <vector>

#include "app/init/draft.hpp"
#include "app/look/statistics.hpp"

namespace gaur::app {

struct QueueJobs {
  std::string queue;
  /// Finished and waiting.
  std::vector<KeptJob> jobs;
};

/// Replaces the queues, function places and functions of `inputs`. A name that gaur.toml cannot contain
/// becomes a note.
void put_found(InitInputs& inputs, const std::vector<QueueJobs>& found);

}  // namespace gaur::app
