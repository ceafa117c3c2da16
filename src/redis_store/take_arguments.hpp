#pragma once
// A take request as arguments of script finish_and_take. A request that is too large for one script is split:
// the parts run in order, and each is carried out once. Thread-safety: pure functions; the caller holds the
// mutex of the TakeMemory.
#include <string>
#include <vector>

#include "redis_store/store_context.hpp"
#include "redis_store/take_memory.hpp"

namespace gaur::redis_store {

struct TakePlan {
  /// What the lock tokens begin with.
  std::string token;
  /// Indexes into TakeRequest::finished of those that a script carries out.
  std::vector<std::size_t> finishes;
  std::vector<std::vector<std::string>> parts;
  bool takes_by_needs = false;
  /// Jobs further back in the queue that this request may take.
  std::vector<FoundJob> found;
  /// WaitingIndex::planned() when `found` was chosen.
  std::int64_t index_position = 0;
};

TakePlan plan_take(const TakeRequest& request, const StoreContext& context, TakeMemory::OfQueue& memory);

/// "count,age", each empty where it is not bounded: how scripts get a Retention.
std::string keep_argument(const Retention& keep);

}  // namespace gaur::redis_store
