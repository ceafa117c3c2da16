// Locks: renewal, recovery of what lost them, and what an earlier life held. And waking what is due.
#include <fmt/format.h>

#include "bull/finish_and_take.hpp"
#include "bull/gather.hpp"
#include "bull/job_codec.hpp"

namespace gaur::bull {
namespace {

constexpr std::size_t kLocksAScript = 500;
constexpr std::size_t kJobsAScript = 64;
constexpr std::size_t kMostLeft = 1'000;
constexpr std::size_t kMostWoken = 1'000;

Status lock_status(char letter, const JobId& id) {
  if (letter == 'k') return ok();
  if (letter == 'n')
    return Error{Errc::kLockMissing,
                 "job " + id.value + " is not active any more: somebody moved or removed it"};
  if (letter == 'o') return Error{Errc::kLockMismatch, "job " + id.value + " is held by a newer run"};
  return Error{Errc::kLockMissing,
               "job " + id.value + ": its lock expired, or the job was given back or removed"};
}

/// The sweep's look, judged: what is to be recovered now, newest first; what is told and left is in `left`.
class Judge {
 public:
  Judge(const Shared& shared, const RecoverRequest& request, TakeMemory& memory)
      : options_(shared.options), request_(request), memory_(memory), now_(shared.env.clock.now()) {}

  std::vector<std::string> lost(const redis::Reply::Array& look, std::vector<UnlockedJob>& left) {
    TakeMemory::OfQueue& queue = memory_.queues[request_.queue];
    std::map<JobId, TakeMemory::Sighting> seen;
    std::set<JobId> own;
    std::vector<std::string> ids;
    for (std::size_t i = 1; i + 2 < look.size(); i += 3) {
      JobId id(text_of(look[i]));
      if (const std::string* lock = look[i + 1].text()) {
        if (!memory_.owner_of(*lock).empty()) own.insert(std::move(id));
        continue;
      }
      TakeMemory::Sighting sighting =
          queue.unlocked.contains(id) ? queue.unlocked[id] : TakeMemory::Sighting{now_, 0};
      ++sighting.times;
      const bool is_own = queue.own.contains(id);
      if (is_own) own.insert(id);
      seen[id] = sighting;
      if (sighting.times < options_.sightings || now_ - sighting.first < span()) continue;
      std::optional<Time> started;
      if (!look[i + 2].is_nil()) started = from_ms(whole_number(text_of(look[i + 2])));
      if (const auto why = why_left(started, is_own, sighting)) {
        if (left.size() < kMostLeft) left.push_back({std::move(id), started, *why});
      } else {
        ids.push_back(id.value);
      }
    }
    queue.unlocked = std::move(seen);
    queue.own = std::move(own);
    return ids;
  }

 private:
  Duration span() const { return options_.sightings > 1 ? options_.sighting_span : Duration{0}; }
  std::optional<UnlockedJob::Why> why_left(const std::optional<Time>& started, bool own,
                                           const TakeMemory::Sighting& sighting) const {
    if (started && request_.orphans_before && *started < *request_.orphans_before)
      return UnlockedJob::Why::kOrphan;
    if (!request_.act) return UnlockedJob::Why::kReportOnly;
    if (!own && now_ - sighting.first < request_.grace) return UnlockedJob::Why::kGrace;
    return std::nullopt;
  }

  const BullOptions& options_;
  const RecoverRequest& request_;
  TakeMemory& memory_;
  const Instant now_;
};

void append_ids(const redis::Reply& reply, std::vector<JobId>& ids) {
  for (const redis::Reply& id : array_of(reply)) ids.emplace_back(text_of(id));
}

}  // namespace

Async<ExtendReply> FinishAndTake::extend_locks(ExtendRequest request) {
  std::vector<redis::Answer<redis::Reply>> answers;
  for (std::size_t first = 0; first == 0 || first < request.held.size(); first += kLocksAScript) {
    std::vector<std::string> arguments{request.renew ? shared_->lock_ms(request.lock) : ""};
    for (std::size_t i = first; i < std::min(first + kLocksAScript, request.held.size()); ++i) {
      arguments.push_back(request.held[i].id.value);
      arguments.push_back(request.held[i].token.value);
    }
    answers.push_back(shared_->run("extend", request.queue, std::move(arguments)));
  }
  Promise<Result<ExtendReply>> promise;
  auto future = promise.future();
  gather(std::move(answers), [promise, request, memory = memory_](Result<std::vector<redis::Reply>> replies) {
    if (!replies) return promise.set(replies.error());
    ExtendReply out;
    for (const redis::Reply& reply : *replies) {
      const auto& parts = array_of(reply);
      if (parts.size() < 2) return promise.set(malformed("extend"));
      for (const char letter : text_of(parts[0])) {
        if (out.locks.size() == request.held.size()) return promise.set(malformed("extend"));
        out.locks.push_back(lock_status(letter, request.held[out.locks.size()].id));
      }
      std::lock_guard lock(memory->mutex);
      out.cancels = cancels_of(parts[1], request.queue, request.worker, *memory);
    }
    promise.set(std::move(out));
  });
  return future;
}

Async<Recovered> FinishAndTake::recover(RecoverRequest request) {
  Promise<Result<Recovered>> promise;
  auto future = promise.future();
  auto look = shared_->run("active", request.queue, {});
  std::move(look).then([promise, request = std::move(request), shared = shared_,
                        memory = memory_](Result<redis::Reply> reply) {
    auto good = checked(std::move(reply));
    if (!good) return promise.set(good.error());
    auto out = std::make_shared<Recovered>();
    std::vector<std::string> ids;
    {
      std::lock_guard lock(memory->mutex);
      ids = Judge(*shared, request, *memory).lost(array_of(*good), out->unlocked);
    }
    std::vector<redis::Answer<redis::Reply>> answers;
    for (std::size_t first = 0; first < ids.size(); first += kJobsAScript) {
      std::vector<std::string> arguments{std::to_string(request.max_stalled),
                                         keep_argument(request.keep_failed)};
      arguments.insert(arguments.end(), ids.begin() + static_cast<std::ptrdiff_t>(first),
                       ids.begin() + static_cast<std::ptrdiff_t>(std::min(first + kJobsAScript, ids.size())));
      answers.push_back(shared->run("recover", request.queue, std::move(arguments)));
    }
    gather(std::move(answers), [promise, out](Result<std::vector<redis::Reply>> replies) {
      if (!replies) return promise.set(replies.error());
      for (const redis::Reply& part : *replies) {
        const auto& parts = array_of(part);
        if (parts.size() < 2) return promise.set(malformed("recover"));
        append_ids(parts[0], out->requeued);
        append_ids(parts[1], out->failed);
      }
      promise.set(std::move(*out));
    });
  });
  return future;
}

Async<std::vector<JobId>> FinishAndTake::reclaim(ReclaimRequest request) {
  if (request.session.empty())
    return shared_->answer<std::vector<JobId>>(
        Error{Errc::kInvalidArgument, "reclaim: the lane has no name"});
  return read_reply<std::vector<JobId>>(shared_->run("reclaim", request.queue, {request.session.value}),
                                        [](const redis::Reply& reply) -> Result<std::vector<JobId>> {
                                          std::vector<JobId> ids;
                                          append_ids(reply, ids);
                                          return ids;
                                        });
}

namespace {

/// Some at a time, until no more are due or enough were woken.
void wake_some(const SharedPtr& shared, const QueueName& queue, std::size_t woken,
               const Promise<Result<QueueHint>>& promise) {
  auto answer = shared->run("wake", queue, {"gaur", std::to_string(kJobsAScript)});
  std::move(answer).then([=](Result<redis::Reply> reply) {
    auto good = checked(std::move(reply));
    if (!good) return promise.set(good.error());
    const auto& parts = array_of(*good);
    if (parts.size() < 4) return promise.set(malformed("wake"));
    const auto looked = static_cast<std::size_t>(integer_of(parts[0]));
    if (looked == kJobsAScript && woken + looked < kMostWoken)
      return wake_some(shared, queue, woken + looked, promise);
    QueueHint next;
    if (!parts[1].is_nil()) next.due = due_of_score(std::strtod(text_of(parts[1]).c_str(), nullptr));
    next.paused = integer_of(parts[2]) == 1;
    next.more = integer_of(parts[3]) > 0;
    promise.set(next);
  });
}

}  // namespace

Async<QueueHint> FinishAndTake::wake_delayed(QueueName queue) {
  Promise<Result<QueueHint>> promise;
  auto future = promise.future();
  wake_some(shared_, queue, 0, promise);
  return future;
}

}  // namespace gaur::bull
