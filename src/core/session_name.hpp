#pragma once
// Lanes are named after what sends on them and the queue. Within a lane's name a queue's name is written so
// that no two pairs give the same lane, and so that every store takes it: %XX for all but the plain
// characters, and short. Thread-safety: pure functions.
#include <string>
#include <string_view>

#include "gaur/names.hpp"

namespace gaur {

/// A queue's name as part of a lane's name, at most 128 bytes. Plain names are themselves.
std::string queue_in_session(const QueueName& queue);
/// "<worker>/<queue>": the first lane of a worker on a queue; the others begin with it and a ~.
std::string worker_session(std::string_view worker, const QueueName& queue);

}  // namespace gaur
