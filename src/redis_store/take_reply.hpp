#pragma once
// The replies of script finish_and_take, read into a TakeReply and the store's memory.
// Thread-safety: locks the TakeMemory.
#include "redis_store/take_arguments.hpp"

namespace gaur::redis_store {

/// `replies` has one element for each part of the plan.
Result<TakeReply> read_take_reply(const Result<Replies>& replies, const TakeRequest& request,
                                  const TakePlan& plan, const StoreContext& context, TakeMemory& memory);

/// Another client may change a job's data, and with it its function, at any time and without an event: what
/// is known of functions expires. The caller holds the memory's mutex.
void expire_functions(Instant now, TakeMemory::OfQueue& memory);

}  // namespace gaur::redis_store
