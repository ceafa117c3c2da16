#include "redis_store/take_memory.hpp"

#include <algorithm>

#include "redis_store/replies.hpp"

namespace gaur::redis_store {

void TakeMemory::remember_owner(const SessionName& session, const std::string& worker) {
  if (owners.size() >= kMostOwners && !owners.contains(session)) owners.clear();
  owners[session] = worker;
}

const std::string& TakeMemory::owner_of(std::string_view token) const {
  static const std::string kNone;
  for (int cut = 0; cut < 2; ++cut) {  // <session>:<sequence>:<index>
    const std::size_t colon = token.rfind(':');
    if (colon == std::string_view::npos) return kNone;
    token = token.substr(0, colon);
  }
  const auto found = owners.find(SessionName(std::string(token)));
  return found == owners.end() ? kNone : found->second;
}

std::vector<CancelRequest> cancels_of(const redis::Reply& reply, const QueueName& queue,
                                      const std::string& worker, const TakeMemory& memory) {
  std::vector<CancelRequest> cancels;
  const auto& pairs = array_of(reply);
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
    const std::string text = text_of(pairs[i + 1]);
    const std::size_t first = std::min(text.find('\n'), text.size());
    const std::size_t second = std::min(text.find('\n', first + 1), text.size());
    const std::string token = text.substr(0, first);
    // A run of the worker's previous process: its session is named after the worker.
    const bool by_name = token.starts_with(worker + ":") || token.starts_with(worker + "/");
    if (worker.empty() || (memory.owner_of(token) != worker && !by_name)) continue;
    CancelRequest request{.queue = queue, .id = JobId(text_of(pairs[i])), .token = LockToken(token)};
    if (first < text.size()) request.who = text.substr(first + 1, second - first - 1);
    if (second < text.size()) request.why = text.substr(second + 1);
    cancels.push_back(std::move(request));
  }
  return cancels;
}

}  // namespace gaur::redis_store
