#pragma once
// Adds with an id that is taken: compares the existing job with the new one. Thread-safety: any thread.
#include <map>
#include <vector>

#include "core/store.hpp"

namespace gaur {

/// The jobs with an id of their own, by index.
std::map<std::size_t, NewJob> jobs_with_own_ids(const std::vector<NewJob>& jobs);

/// Sets Added::differs in the reply of `adding` for jobs that existed. A job that was removed meanwhile is
/// not compared. `store` outlives the future.
Async<std::vector<Added>> compare_duplicates(Store& store, Async<std::vector<Added>> adding,
                                             const QueueName& queue, std::map<std::size_t, NewJob> own_ids);

}  // namespace gaur
