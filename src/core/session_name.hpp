#pragma once
// Names of the sessions in which a worker sends its operations. A queue's name is percent-encoded and
// shortened in them, so that different queues have different sessions and every store accepts the name.
// Thread-safety: pure functions.
#include <string>
#include <string_view>

#include "gaur/names.hpp"

namespace gaur {

/// A queue's name as part of a session's name, at most 128 bytes. Plain names are unchanged.
std::string queue_in_session(const QueueName& queue);
/// "<worker>/<queue>": the first session of a worker for a queue. Further ones append "~" and a suffix.
std::string worker_session(std::string_view worker, const QueueName& queue);

}  // namespace gaur
