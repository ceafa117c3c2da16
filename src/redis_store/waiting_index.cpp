#include "redis_store/waiting_index.hpp"

#include <algorithm>

namespace gaur::redis_store {
namespace {

constexpr std::size_t kMostOfAFunction = 256;
constexpr std::size_t kFewOfAFunction = 32;  // left: then more are scanned
constexpr std::size_t kMostArrivals = 256;
constexpr std::size_t kMostAsked = 16;  // per script: each is a search
constexpr std::size_t kMostAnchors = 20;
constexpr std::size_t kMostCounted = 1'000;
constexpr std::size_t kFullScan = 512;      // admission_scan.cpp
constexpr std::uint64_t kSearched = 2'048;  // shared/places.lua
constexpr unsigned kMostMisses = 2;

void move_by(std::uint64_t& place, std::int64_t by) {
  place = by < 0 && place < static_cast<std::uint64_t>(-by) ? 0 : place + static_cast<std::uint64_t>(by);
}

/// The position after the read part. The distance between anchors grows towards the front, so that one of
/// them is left whatever part of the list was taken.
void advance(ScanPosition& position, const Scanned& result) {
  std::vector<Spot> anchors;
  const auto keep = [&](const JobId& id, std::uint64_t place) {
    if (anchors.size() >= kMostAnchors) return;
    if (anchors.size() > 1) {
      const std::uint64_t gap = anchors[anchors.size() - 2].place - anchors.back().place;
      if (place >= anchors.back().place || anchors.back().place - place < 2 * gap) return;
    } else if (!anchors.empty() && place >= anchors.back().place) {
      return;
    }
    anchors.push_back({id, place});
  };
  for (auto read = result.jobs.rbegin(); read != result.jobs.rend(); ++read) keep(read->id, read->place);
  for (const Spot& old : position.anchors) keep(old.id, old.place);
  position.next = result.first + result.jobs.size();
  position.anchors = std::move(anchors);
  position.search = position.anchors.empty() ? 0 : position.anchors.front().place;
}

ScanPosition position_at(const JobId& id, std::uint64_t place) {
  return {.next = place, .anchors = {{id, place}}, .search = place};
}

bool serves_alike(const AdmissionFilter& a, const AdmissionFilter& b) {
  return a.function_field == b.function_field && a.default_needs.has_value() == b.default_needs.has_value() &&
         std::equal(a.needs.begin(), a.needs.end(), b.needs.begin(), b.needs.end(),
                    [](const auto& x, const auto& y) { return x.first == y.first; });
}

}  // namespace

void WaitingIndex::begin(const AdmissionFilter& admit) {
  if (active_ && !serves_alike(admit, admit_)) clear();
  active_ = true;
  at_end_ = false;  // jobs may have arrived since
  admit_ = admit;
}

void WaitingIndex::clear() {
  const std::uint64_t generation = generation_ + 1;
  *this = WaitingIndex{};
  generation_ = generation;
}

/// Functions without needs of their own share one group.
FunctionName WaitingIndex::key_of(const FunctionName& function, const AdmissionFilter& admit) {
  return admit.needs.contains(function) ? function : FunctionName();
}

WaitingIndex::Group* WaitingIndex::group_of(const FunctionName& function) {
  const FunctionName key = key_of(function, admit_);
  if (key.empty() && !admit_.default_needs) return nullptr;
  return &groups_[key];
}

bool WaitingIndex::is_available(const FunctionName& key) const {
  const auto found = admit_.needs.find(key);
  if (found != admit_.needs.end()) return !found->second.unavailable;
  return admit_.default_needs && !admit_.default_needs->unavailable;
}

bool WaitingIndex::can_take() const {
  return std::any_of(groups_.begin(), groups_.end(), [this](const auto& entry) {
    return is_available(entry.first) && std::any_of(entry.second.jobs.begin(), entry.second.jobs.end(),
                                                    [](const FoundJob& job) { return !job.sent; });
  });
}

template <class Visit>
void WaitingIndex::each_place(Visit visit) {
  const auto of_position = [&](ScanPosition& position) {
    if (position.anchors.empty()) return;  // at the front
    visit(position.next);
    visit(position.search);
    for (Spot& anchor : position.anchors) visit(anchor.place);
  };
  of_position(forward_);
  of_position(audit_);
  for (auto& [key, group] : groups_) {
    if (group.rest) of_position(*group.rest);
    for (FoundJob& job : group.jobs) visit(job.place);
  }
}

void WaitingIndex::shift(std::int64_t by) {
  if (by == 0) return;
  total_shift_ += by;
  each_place([by](std::uint64_t& place) { move_by(place, by); });
}

void WaitingIndex::removed(std::uint64_t place) {
  --total_shift_;
  each_place([place](std::uint64_t& other) {
    if (other > place) --other;
  });
}

// ---- take requests -----------------------------------------------------------------------------

std::vector<FoundJob> WaitingIndex::to_take(const AdmissionFilter& admit, std::size_t most) {
  std::vector<FoundJob> found;
  if (!active_ || !serves_alike(admit, admit_)) return found;
  admit_ = admit;
  for (auto& [key, group] : groups_) {
    if (!is_available(key)) continue;
    std::size_t count = 0;
    for (const FoundJob& job : group.jobs) {
      if (!job.sent && ++count <= most) found.push_back(job);
    }
  }
  std::sort(found.begin(), found.end(),
            [](const FoundJob& a, const FoundJob& b) { return a.place < b.place; });
  if (found.size() > most) found.resize(most);
  for (const FoundJob& chosen : found) {
    for (FoundJob& job : group_of(chosen.function)->jobs) job.sent = job.sent || job.id == chosen.id;
  }
  return found;
}

void WaitingIndex::took(const std::vector<FoundJob>& given, const TakeEffect& effect, std::int64_t planned) {
  if (!active_) return;
  if (effect.letters.find_first_of("ts") != std::string::npos) shift(effect.shift - (total_shift_ - planned));
  std::vector<std::uint64_t> places = effect.removed;
  std::sort(places.begin(), places.end(), std::greater<>());
  for (const std::uint64_t place : places) removed(place);
  for (std::uint64_t i = 0; i < effect.popped; ++i) removed(0);
  for (std::size_t i = 0; i < given.size(); ++i) {
    const char letter = i < effect.letters.size() ? effect.letters[i] : 'u';
    Group* group = group_of(given[i].function);
    if (group == nullptr) continue;
    std::erase_if(group->jobs, [&](FoundJob& job) {
      if (job.id != given[i].id) return false;
      job.sent = false;
      if (letter == 'l') ++job.misses;
      return letter == 't' || letter == 'g' || job.misses >= kMostMisses;
    });
  }
}

void WaitingIndex::release(const std::vector<FoundJob>& given) {
  took(given, {}, total_shift_);
}

void WaitingIndex::arrived(const JobId& id) {
  if (active_ && arrivals_.size() < kMostArrivals) arrivals_.push_back(id);
}

// ---- scans -------------------------------------------------------------------------------------

std::optional<ScanTask> WaitingIndex::next_scan() {
  if (!active_) return std::nullopt;
  for (auto& [key, group] : groups_) {
    if (group.rest && group.jobs.size() < kFewOfAFunction && is_available(key))
      return task(ScanTask::Kind::kRefill, *group.rest, key);
  }
  const bool is_due = !arrivals_.empty() || (!can_take() && !at_end_);
  if (!is_due) return std::nullopt;
  ScanTask forward = task(ScanTask::Kind::kForward, forward_);
  const auto end = arrivals_.begin() + static_cast<std::ptrdiff_t>(std::min(kMostAsked, arrivals_.size()));
  forward.asked.assign(arrivals_.begin(), end);
  arrivals_.erase(arrivals_.begin(), end);
  return forward;
}

ScanTask WaitingIndex::task(ScanTask::Kind kind, const ScanPosition& from,
                            const FunctionName& function) const {
  return {.kind = kind,
          .function = function,
          .from = from,
          .field = admit_.function_field,
          .planned = total_shift_,
          .generation = generation_,
          .is_long = is_long_};
}

ScanTask WaitingIndex::audit() {
  if (audit_.next == 0) audit_counts_.clear();
  return task(ScanTask::Kind::kAudit, audit_);
}

/// Inserts a job in order among those of its function, unless the group's rest begins before it.
void WaitingIndex::insert(const Scanned::Read& job) {
  Group* group = job.function ? group_of(*job.function) : nullptr;
  if (group == nullptr || (group->rest && job.place >= group->rest->next)) return;
  if (std::any_of(group->jobs.begin(), group->jobs.end(),
                  [&](const FoundJob& other) { return other.id == job.id; }))
    return;
  const auto at = std::find_if(group->jobs.rbegin(), group->jobs.rend(),
                               [&](const FoundJob& other) { return other.place < job.place; });
  group->jobs.insert(at.base(), {.id = job.id, .function = *job.function, .place = job.place});
  if (group->jobs.size() <= kMostOfAFunction) return;
  const FoundJob& last = group->jobs.back();
  group->rest = position_at(last.id, last.place);
  group->jobs.pop_back();
}

void WaitingIndex::refill(Group& group, const Scanned& result) {
  group.rest.reset();
  for (const Scanned::Read& job : result.jobs) {
    if (job.place >= forward_.next) return;
    insert(job);
    if (group.rest) return;  // the group is full again
  }
}

bool WaitingIndex::scanned(const ScanTask& task, const Scanned& result) {
  if (!active_ || task.generation != generation_) return false;
  const bool had_some = can_take();
  if (!task.from.anchors.empty()) shift(result.shift - (total_shift_ - task.planned));
  for (const Scanned::Read& job : result.asked) insert(job);
  const std::uint64_t end = result.first + result.jobs.size();
  const bool whole = result.jobs.empty() || end >= result.waiting;
  switch (task.kind) {
    case ScanTask::Kind::kForward:
      advance(forward_, result);
      at_end_ = whole;
      is_long_ = !whole && result.jobs.size() >= kFullScan;
      for (const Scanned::Read& job : result.jobs) {
        if (!job.function) continue;
        if (counts_.size() < kMostCounted || counts_.contains(*job.function)) ++counts_[*job.function];
        insert(job);
      }
      break;
    case ScanTask::Kind::kRefill: {
      Group& group = groups_[task.function];
      ScanPosition rest = group.rest.value_or(task.from);
      refill(group, result);
      if (group.rest || whole || end >= forward_.next) break;
      advance(rest, result);
      group.rest = std::move(rest);
      break;
    }
    case ScanTask::Kind::kAudit:
      advance(audit_, result);
      for (const Scanned::Read& job : result.jobs) {
        if (!job.function || job.place >= forward_.next) continue;
        if (audit_counts_.size() < kMostCounted || audit_counts_.contains(*job.function))
          ++audit_counts_[*job.function];
        insert(job);
      }
      if (whole || end >= forward_.next) {
        counts_ = std::exchange(audit_counts_, {});
        audit_ = {};
      }
      break;
  }
  return !had_some && can_take();
}

void WaitingIndex::lost(const ScanTask& task) {
  if (!active_ || task.generation != generation_) return;
  ScanPosition* position = task.kind == ScanTask::Kind::kForward ? &forward_
                           : task.kind == ScanTask::Kind::kAudit ? &audit_
                           : groups_[task.function].rest         ? &*groups_[task.function].rest
                                                                 : nullptr;
  if (task.kind == ScanTask::Kind::kForward)
    for (const JobId& id : task.asked) arrived(id);
  if (position == nullptr) return;
  if (position->search > 0) {  // clients mostly remove jobs from the tail, so the anchors moved towards it
    position->search -= std::min(position->search, kSearched);
    return;
  }
  *position = {};
  if (task.kind != ScanTask::Kind::kForward) return;
  groups_.clear();
  counts_.clear();
  at_end_ = false;
}

}  // namespace gaur::redis_store
