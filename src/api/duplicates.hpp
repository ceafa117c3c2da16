#pragma once
// Adds whose own id was taken: whether the job that is there says the same. Thread-safety: pure, but for the
// store that is asked.
#include <map>
#include <vector>

#include "core/store.hpp"

namespace gaur {

/// Those of `jobs` that bring an id of their own, by their place.
std::map<std::size_t, NewJob> jobs_with_own_ids(const std::vector<NewJob>& jobs);

/// Sets Added::differs in what `adding` answers, for the jobs that were there already. One that is gone
/// meanwhile is not compared. `store` outlives the answer.
Async<std::vector<Added>> compare_duplicates(Store& store, Async<std::vector<Added>> adding,
                                             const QueueName& queue, std::map<std::size_t, NewJob> own_ids);

}  // namespace gaur
