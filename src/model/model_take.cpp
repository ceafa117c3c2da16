// finish_and_take, and taking jobs.
#include <fmt/format.h>

#include <algorithm>

#include "model/model_step.hpp"

namespace gaur {

using model::Mutation;

Async<TakeReply> ModelStore::finish_and_take(TakeRequest request) {
  Step step(*this);
  for (LongPoll& poll : long_polls_) {
    if (request.op.sequence > 0 && poll.request.op == request.op) return poll.callers.emplace_back().future();
  }
  auto remembered = remembered_reply<TakeReply>(request.op);
  if (!remembered) return answer<TakeReply>(remembered.error());
  if (*remembered) return answer<TakeReply>(**remembered);
  end_long_polls_of(request.op.session);
  if (Status valid = validate_queue_name(request.queue.value); !valid)
    return answer<TakeReply>(valid.error());
  if (request.limit) return answer<TakeReply>(Error{Errc::kUnsupported, "this store lacks rate limits"});

  QueueState& queue = state_.queues[request.queue];
  TakeReply reply;
  for (const Finish& one : request.finished) reply.finished.push_back(finish(queue, one));
  Selection selection = take(queue, request);
  const bool any_finished = std::any_of(reply.finished.begin(), reply.finished.end(), [](const auto& result) {
    return result && (result->state == State::kCompleted || result->state == State::kFailed);
  });
  if (any_finished && queue.ready() == 0 && queue.active.empty()) record(queue, EventKind::kDrained, JobId());
  const bool waits =
      request.take > 0 && request.long_poll > Duration{0} && selection.taken.empty() && !selection.blocked;
  complete(reply, queue, request, std::move(selection));
  remember(request.op, reply);
  serve_long_polls();  // for jobs that the request requeued and did not take
  if (!waits) return answer<TakeReply>(std::move(reply));
  const Instant until = clock_.now() + request.long_poll;
  long_polls_.push_back({std::move(request), std::move(reply), until, {}});
  tick_at(long_polls_.back().until);
  return long_polls_.back().callers.emplace_back().future();
}

void ModelStore::complete(TakeReply& reply, const QueueState& queue, const TakeRequest& request,
                          Selection selection) const {
  reply.taken = std::move(selection.taken);
  reply.blocked = std::move(selection.blocked);
  reply.next = hint_for(queue, selection.skipped);
  reply.cancels = cancels_for(queue, request.queue, request.worker);
}

ModelStore::Selection ModelStore::take(QueueState& queue, const TakeRequest& request) {
  Selection selection;
  if (queue.paused) return selection;
  std::uint64_t at_most = request.take;
  if (queue.concurrency) {
    const std::uint64_t running = queue.active.size();
    at_most =
        std::min<std::uint64_t>(at_most, running < *queue.concurrency ? *queue.concurrency - running : 0);
  }
  Resources free = request.filter ? request.filter->free : Resources{};
  Resources spare = request.filter ? request.filter->spare : Resources{};
  for (const JobId& id : queue.in_take_order(semantics_)) {
    if (selection.taken.size() == at_most) break;
    Record& job = *queue.find(id);
    FunctionName function =
        function_of(job.job.name, job.job.data, request.filter ? request.filter->function_field : "");
    const Decision decision =
        request.filter ? decide(*request.filter, job, function, free, spare, selection) : Decision::kTake;
    if (decision != Decision::kTake) ++selection.skipped;
    if (decision == Decision::kEnd) break;
    if (decision == Decision::kSkip) continue;
    const State previous = job.job.state;
    queue.remove_from_set(job);
    if (job.fails_at_start) {
      job.job.failure = stalled_too_often(job.job.failure);
      fail_waiting(queue, job, previous);
    } else {
      selection.taken.push_back(start(queue, job, request, selection.taken.size(), std::move(function)));
    }
  }
  return selection;
}

/// Applies AdmissionFilter (core/needs.hpp) to one job. Subtracts the needs of a taken job.
ModelStore::Decision ModelStore::decide(const AdmissionFilter& filter, const Record& job,
                                        const FunctionName& function, Resources& free, Resources& spare,
                                        Selection& selection) const {
  const auto known = filter.needs.find(function);
  if (known == filter.needs.end() && !filter.default_needs) return Decision::kSkip;
  const Needs& needs = known == filter.needs.end() ? *filter.default_needs : known->second;
  if (needs.unavailable) return Decision::kSkip;
  const bool fits_free = fits(needs, free);
  if (!selection.blocked) {
    if (fits_free) {
      subtract(free, needs);
      return Decision::kTake;
    }
    const Time since =
        semantics_.since_is_known ? job.ready_since : job.job.timestamp + job.job.options.delay;
    selection.blocked = BlockedHead{job.job.id, function, needs, since};
    return filter.backfill ? Decision::kSkip : Decision::kEnd;
  }
  if (!fits_free) return Decision::kSkip;
  if (!needs.ends_before_head) {
    if (!fits(needs, spare) && mutation_ != Mutation::kBackfillDelaysHead) return Decision::kSkip;
    subtract(spare, needs);
  }
  subtract(free, needs);
  return Decision::kTake;
}

Taken ModelStore::start(QueueState& queue, Record& job, const TakeRequest& request, std::size_t index,
                        FunctionName function) {
  const State previous = job.job.state;
  queue.insert_last(job, State::kActive, false);
  ++job.job.attempts_started;
  job.job.processed_on = clock_.wall();
  job.job.processed_by = request.worker;
  // A request without a sequence number can be repeated, so a counter makes its tokens unique.
  job.token = LockToken(
      request.op.sequence > 0
          ? fmt::format("{}:{}:{}", request.op.session.value, request.op.sequence, index)
          : fmt::format("{}:0:{}:{}", request.op.session.value, job.job.id.value, ++state_.unnumbered));
  job.lock_until = clock_.now() + request.lock;
  record(queue, EventKind::kActive, job.job.id, previous);
  return {job.job, job.token, std::move(function)};
}

QueueHint ModelStore::hint_for(const QueueState& queue, std::uint64_t skipped) const {
  QueueHint hint;
  if (!queue.delayed.empty()) hint.due = std::get<Time>(queue.delayed.begin()->first);
  hint.more = queue.ready() > skipped;
  hint.paused = queue.paused;
  return hint;
}

}  // namespace gaur
