#pragma once
// Whether Gaur may use a queue as a Bull queue. Thread-safety: pure function.
#include "redis_store/dialect_evidence.hpp"

namespace gaur::bull {

/// ok() for a queue that Bull wrote, or nobody. Errors: kPermission, with the evidence of both dialects and
/// what to do.
Status may_be_used_as_bull(const QueueName& queue, const redis_store::Evidence& evidence);

}  // namespace gaur::bull
