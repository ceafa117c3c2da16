#include "core/session_name.hpp"

#include "base/name_text.hpp"

namespace gaur {

std::string queue_in_session(const QueueName& queue) {
  constexpr std::size_t kLongest = 128;
  return shortened_name(percent_encode(queue.value, "{}"), kLongest);
}

std::string worker_session(std::string_view worker, const QueueName& queue) {
  return std::string(worker) + "/" + queue_in_session(queue);
}

}  // namespace gaur
