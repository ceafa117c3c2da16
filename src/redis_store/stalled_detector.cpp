#include "redis_store/stalled_detector.hpp"

namespace gaur::redis_store {

namespace {
constexpr std::size_t kMostLeft = 1'000;
}  // namespace

std::vector<std::string> StalledDetector::stalled(const redis::Reply::Array& active,
                                                  std::vector<UnlockedJob>& left) {
  TakeMemory::OfQueue& queue = memory_.queues[request_.queue];
  std::map<JobId, TakeMemory::Sighting> unlocked;
  std::set<JobId> own;
  std::vector<std::string> ids;
  for (std::size_t i = 1; i + 2 < active.size(); i += 3) {  // now; id, lock, processedOn ...
    JobId id(text_of(active[i]));
    if (const std::string* lock = active[i + 1].text()) {
      if (!memory_.owner_of(*lock).empty()) own.insert(std::move(id));
      continue;
    }
    TakeMemory::Sighting sighting{now_, 0};
    if (const auto seen = queue.unlocked.find(id); seen != queue.unlocked.end()) sighting = seen->second;
    ++sighting.times;
    const bool is_own = queue.own.contains(id);
    if (is_own) own.insert(id);
    unlocked[id] = sighting;
    if (sighting.times < options_.sightings || now_ - sighting.first < span()) continue;
    std::optional<Time> started;
    if (!active[i + 2].is_nil()) started = from_ms(whole_number(text_of(active[i + 2])));
    if (const auto why = why_left(started, is_own, sighting)) {
      if (left.size() < kMostLeft) left.push_back({std::move(id), started, *why});
    } else {
      ids.push_back(id.value);
    }
  }
  queue.unlocked = std::move(unlocked);
  queue.own = std::move(own);
  return ids;
}

std::optional<UnlockedJob::Why> StalledDetector::why_left(const std::optional<Time>& started, bool own,
                                                          const TakeMemory::Sighting& sighting) const {
  if (started && request_.orphans_before && *started < *request_.orphans_before)
    return UnlockedJob::Why::kOrphan;
  if (!request_.act) return UnlockedJob::Why::kReportOnly;
  if (!own && now_ - sighting.first < request_.grace) return UnlockedJob::Why::kGrace;
  return std::nullopt;
}

}  // namespace gaur::redis_store
