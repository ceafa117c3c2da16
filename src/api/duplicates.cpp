#include "api/duplicates.hpp"

#include <mutex>

#include "api/idempotency.hpp"

namespace gaur {
namespace {

/// The reply of one add while its duplicates are compared. Thread-safety: internally locked, since the store
/// may reply on several threads.
struct Comparison {
  Promise<Result<std::vector<Added>>> promise;
  std::map<std::size_t, NewJob> asked;
  std::vector<Added> added;
  std::mutex mutex;
  std::size_t left = 0;

  void note(std::size_t at, const Result<Job>& stored) {
    {
      const std::lock_guard lock(mutex);
      added[at].differs = stored && !same_request(*stored, asked.at(at));
      if (--left > 0) return;
    }
    promise.set(std::move(added));
  }
};

}  // namespace

std::map<std::size_t, NewJob> jobs_with_own_ids(const std::vector<NewJob>& jobs) {
  std::map<std::size_t, NewJob> found;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (jobs[i].options.id) found.emplace(i, jobs[i]);
  }
  return found;
}

Async<std::vector<Added>> compare_duplicates(Store& store, Async<std::vector<Added>> adding,
                                             const QueueName& queue, std::map<std::size_t, NewJob> own_ids) {
  if (own_ids.empty()) return adding;
  auto comparison = std::make_shared<Comparison>();  // shared with pending calls
  comparison->asked = std::move(own_ids);
  auto future = comparison->promise.future();
  std::move(adding).then([comparison, &store, queue](Result<std::vector<Added>> answer) {
    if (!answer) return comparison->promise.set(std::move(answer));
    comparison->added = *std::move(answer);
    std::vector<std::pair<std::size_t, JobId>> ids;
    for (const auto& [i, asked] : comparison->asked) {
      if (i < comparison->added.size() && comparison->added[i].duplicate)
        ids.emplace_back(i, comparison->added[i].id);
    }
    if (ids.empty()) return comparison->promise.set(std::move(comparison->added));
    comparison->left = ids.size();
    for (const auto& [i, id] : ids) {
      store.get({queue, id}).then([comparison, at = i](const Result<Job>& stored) {
        comparison->note(at, stored);
      });
    }
  });
  return future;
}

}  // namespace gaur
