#include "core/lane_name.hpp"

#include "base/name_text.hpp"

namespace gaur {

std::string queue_in_lane(const QueueName& queue) {
  constexpr std::size_t kLongest = 128;
  return shortened_name(percent_encode(queue.value, "{}"), kLongest);
}

std::string worker_lane(std::string_view worker, const QueueName& queue) {
  return std::string(worker) + "/" + queue_in_lane(queue);
}

}  // namespace gaur
