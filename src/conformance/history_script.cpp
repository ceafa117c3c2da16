#include "conformance/history_script.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gaur::conformance {

Operation Script::next() {
  const std::uint64_t draw = below(100);
  if (draw < 24) return add();
  if (draw < 52) return turn();
  if (draw < 57) return repeat();
  if (draw < 61) return extend();
  if (draw < 65) return recover();
  if (draw < 72) return advance();
  if (draw < 77) return wake();
  if (draw < 80) return crash();
  if (draw < 83) return cancel();
  if (draw < 86) return retry();
  if (draw < 88) return promote();
  if (draw < 90) return remove();
  if (draw < 93) return edit();
  if (draw < 96) return administer();
  return ask();
}

JobRef Script::job() {
  if (jobs_.empty() || one_in(20)) return {queue(), JobId("nobody")};
  if (one_in(2)) return jobs_[jobs_.size() - 1 - below(std::min<std::size_t>(jobs_.size(), 12))];
  return any(jobs_);
}

void Script::learn(const AddRequest& request, const std::vector<Added>& added) {
  for (const Added& one : added) {
    if (!one.duplicate) jobs_.push_back({request.queue, one.id});
  }
}

void Script::learn(const TakeRequest& turn, const TakeReply& reply) {
  for (std::size_t i = 0; i < reply.finished.size(); ++i) {
    if (!reply.finished[i]) continue;
    std::erase_if(runs_,
                  [&](const Run& run) { return run.queue == turn.queue && run.id == turn.finished[i].id; });
  }
  for (const Taken& taken : reply.taken)
    runs_.push_back({turn.queue, taken.job.id, taken.token, turn.worker});
}

/// After a crash a client still holds what it ran, and tries to finish some of it.
void Script::forget_runs() {
  if (!one_in(3)) runs_.clear();
}

// ---- adding ----------------------------------------------------------------------------------

NewJob Script::new_job() {
  static const std::vector<std::string> kNames{"small", "small", "big", "quick", "shut", "unknown"};
  NewJob job{.name = any(kNames), .data = fmt::format(R"({{"n":{}}})", below(1000))};
  if (one_in(8)) job.data = fmt::format(R"({{"func":"{}","word":"검색"}})", any(kNames));
  if (one_in(5)) job.options.id = JobId(fmt::format("own-{}", below(12)));
  if (one_in(4)) job.options.delay = Duration(1 + below(4000));
  if (one_in(4)) job.options.priority = static_cast<std::uint32_t>(1 + below(3));
  if (one_in(8)) job.options.lifo = true;
  if (one_in(6)) job.options.keep_logs = static_cast<std::uint32_t>(below(4));
  if (one_in(6)) job.options.stack_trace_limit = static_cast<std::uint32_t>(1 + below(2));
  if (one_in(6)) job.options.timestamp = from_ms(static_cast<std::int64_t>(1'700'000'000'000 + below(1000)));
  job.options.attempts = static_cast<std::uint32_t>(below(4));
  return job;
}

Operation Script::add() {
  AddRequest request{.queue = queue()};
  for (std::uint64_t left = 1 + below(4); left > 0; --left) request.jobs.push_back(new_job());
  if (one_in(5)) request.max_waiting = 1 + below(20);
  if (!one_in(4)) {
    const SessionName session(fmt::format("producer-{}", below(2)));
    request.op = {session, number(session)};
  }
  if (request.op.sequence > 0) last_add_ = request;
  std::string text = fmt::format("add {} x{} max {} op {}:{}", request.queue.value, request.jobs.size(),
                                 request.max_waiting, request.op.session.value, request.op.sequence);
  for (const NewJob& job : request.jobs) {
    text += fmt::format(" [{} id {} delay {} prio {} lifo {}]", job.name,
                        job.options.id ? job.options.id->value : "-", job.options.delay.count(),
                        job.options.priority, job.options.lifo);
  }
  return {text, [this, request](Side& side) {
            const auto reply = side.now(side.store().add(request));
            if (reply) {
              side.checker.added(request, *reply, side.wall());
              if (side.teaches) learn(request, *reply);
            }
            return show(reply);
          }};
}

// ---- turns -----------------------------------------------------------------------------------

Outcome Script::outcome() {
  const Failure failure{
      .code = "error", .message = "it broke", .stack = one_in(2) ? fmt::format("line {}", below(99)) : ""};
  switch (below(10)) {
    case 0: return outcome::Failed{failure, one_in(2)};
    case 1: return outcome::RetryAfter{.delay = Duration(1 + below(2000)), .failure = failure};
    case 2: return outcome::RetryAfter{.failure = failure};
    case 3: return outcome::RetryAfter{.delay = Duration(below(500)), .counted = false};
    case 4: return outcome::Requeue{"stop"};
    case 5: return outcome::Stalled{.max_stalled = static_cast<std::uint32_t>(below(3)), .failure = failure};
    default: return outcome::Completed{fmt::format("{}", below(1000))};
  }
}

Finish Script::finish(const Run& run) {
  Finish finish{.id = run.id, .token = run.token, .outcome = outcome()};
  if (one_in(8)) finish.token = LockToken("stale:1:0");
  if (one_in(30)) finish.id = JobId("nobody");
  if (one_in(6)) finish.keep.count = below(3);
  if (one_in(8)) finish.keep.age = std::chrono::seconds(1 + below(3));
  if (one_in(3))
    finish.usage = Usage{.cpu_us = 1 + below(1000), .peak_rss_bytes = below(1000), .wall_us = below(1000)};
  return finish;
}

AdmissionFilter Script::admit() {
  constexpr std::uint64_t kGB = 1'000'000'000;
  AdmissionFilter admit{
      .free = {.cores = static_cast<double>(1 + below(4)), .memory_bytes = (1 + below(8)) * kGB}};
  admit.needs[FunctionName("small")] = {.cores = 1, .memory_bytes = kGB};
  admit.needs[FunctionName("big")] = {.cores = 4, .memory_bytes = 6 * kGB};
  admit.needs[FunctionName("quick")] = {.cores = 1, .memory_bytes = kGB, .ends_before_head = true};
  admit.needs[FunctionName("shut")] = {.cores = 1, .memory_bytes = kGB, .unavailable = true};
  if (one_in(3)) admit.default_needs = Needs{.cores = 2, .memory_bytes = 2 * kGB};
  if (one_in(2)) {
    admit.backfill = true;
    admit.spare = {.cores = static_cast<double>(below(3)), .memory_bytes = below(4) * kGB};
  }
  if (one_in(4)) admit.function_field = "func";
  return admit;
}

Operation Script::turn() {
  const std::string worker = fmt::format("worker-{}", below(3));
  TakeRequest turn{
      .queue = queue(), .op = {SessionName(worker), number(SessionName(worker))}, .worker = worker};
  turn.take = static_cast<std::uint32_t>(below(5));
  turn.lock = Duration(one_in(3) ? 1003 : 5003);
  std::set<JobId> chosen;
  for (const Run& run : runs_) {
    if (run.queue != turn.queue || run.worker != worker || one_in(3) || !chosen.insert(run.id).second)
      continue;
    turn.finished.push_back(finish(run));
  }
  if (one_in(3)) turn.filter = admit();
  if (one_in(3) && parks_) turn.long_poll = Duration(600'000);
  last_turns_[turn.op.session] = turn;
  return send(std::move(turn), false);
}

Operation Script::send(TakeRequest turn, bool again) {
  std::string text = fmt::format("{} {} {}:{} take {}{}{}", again ? "repeat" : "turn", turn.queue.value,
                                 turn.op.session.value, turn.op.sequence, turn.take,
                                 turn.filter ? " admit" : "", turn.long_poll > Duration(0) ? " park" : "");
  for (const Finish& one : turn.finished)
    text += fmt::format(" [finish {} {} as {}]", one.id.value, one.token.value, one.outcome.index());
  return {text, [this, turn, again](Side& side) -> std::string {
            Pending<TakeReply> pending(side.rig(), side.store().finish_and_take(turn));
            if (turn.long_poll > Duration(0)) {
              // What is asked next is answered next: a reply that is not there by then is parked.
              (void)side.now(side.store().wake_delayed(QueueName("nothing-here")));
              if (!pending.ready()) {
                side.end_parked_of(turn);
                if (!again) side.checker.sent(turn);
                side.parked.push_back({turn, std::move(pending), again});
                return "parked";
              }
            }
            const auto reply = pending.get();
            side.end_parked_of(turn);
            if (!reply || again) return again && reply ? show(reply->finished) : show(reply);
            side.checker.turned(turn, *reply, side.wall());
            if (side.teaches) learn(turn, *reply);
            return show(reply);
          }};
}

Operation Script::repeat() {
  if (last_add_ && one_in(2)) {
    const AddRequest request = *last_add_;
    const bool is_last = numbers_[request.op.session] == request.op.sequence;
    if (is_last) {
      return {fmt::format("repeat add {}:{}", request.op.session.value, request.op.sequence),
              [this, request](Side& side) {
                const auto before = side.now(side.store().counts(request.queue));
                const auto reply = side.now(side.store().add(request));
                const auto after = side.now(side.store().counts(request.queue));
                // Refused the first time, it may be carried out now.
                if (reply && before && after && !(*before == *after)) {
                  side.checker.added(request, *reply, side.wall());
                  if (side.teaches) learn(request, *reply);
                }
                return show(reply);
              }};
    }
  }
  if (last_turns_.empty()) return turn();
  auto chosen = last_turns_.begin();
  std::advance(chosen, static_cast<std::ptrdiff_t>(below(last_turns_.size())));
  return send(chosen->second, true);
}

// ---- locks and time --------------------------------------------------------------------------

Operation Script::extend() {
  ExtendRequest request{
      .queue = queue(), .lock = Duration(3007), .worker = fmt::format("worker-{}", below(3))};
  for (const Run& run : runs_) {
    if (run.queue != request.queue || run.worker != request.worker) continue;
    request.held.push_back({run.id, one_in(10) ? LockToken("stale:1:0") : run.token});
  }
  return {fmt::format("extend {} of {}", request.held.size(), request.worker),
          [request](Side& side) { return show(side.now(side.store().extend_locks(request))); }};
}

Operation Script::recover() {
  const RecoverRequest request{.queue = queue(), .max_stalled = static_cast<std::uint32_t>(below(3))};
  return {fmt::format("recover {} max {}", request.queue.value, request.max_stalled), [request](Side& side) {
            const auto reply = side.now(side.store().recover(request));
            if (reply) side.checker.recovered(request.queue, *reply);
            return show(reply);
          }};
}

Operation Script::advance() {
  const Duration by(1 + below(one_in(4) ? 6000 : 800));
  return {fmt::format("advance {} ms", by.count()), [by](Side& side) {
            side.rig().advance(by);
            return std::string();
          }};
}

Operation Script::wake() {
  const QueueName name = queue();
  return {"wake " + name.value,
          [name](Side& side) { return show(side.now(side.store().wake_delayed(name))); }};
}

Operation Script::crash() {
  return {.text = "crash and reopen",
          .play =
              [this](Side& side) {
                side.rig().crash_and_reopen();
                side.checker.reopened();
                if (side.teaches) forget_runs();
                return std::string();
              },
          .crash = true};
}

}  // namespace gaur::conformance
