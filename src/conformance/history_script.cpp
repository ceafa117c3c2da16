#include "conformance/history_script.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gaur::conformance {

Operation Script::next() {
  const std::uint64_t draw = below(100);
  if (draw < 24) return add();
  if (draw < 52) return take();
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
  return read();
}

JobRef Script::job() {
  if (jobs_.empty() || one_in(20)) return {queue(), JobId("no-such-job")};
  if (one_in(2)) return jobs_[jobs_.size() - 1 - below(std::min<std::size_t>(jobs_.size(), 12))];
  return any(jobs_);
}

void Script::learn(const AddRequest& request, const std::vector<Added>& added) {
  for (const Added& one : added) {
    if (!one.duplicate) jobs_.push_back({request.queue, one.id});
  }
}

void Script::learn(const TakeRequest& request, const TakeReply& reply) {
  for (std::size_t i = 0; i < reply.finished.size(); ++i) {
    if (!reply.finished[i]) continue;
    std::erase_if(runs_, [&](const Run& run) {
      return run.queue == request.queue && run.id == request.finished[i].id;
    });
  }
  for (const Taken& taken : reply.taken)
    runs_.push_back({request.queue, taken.job.id, taken.token, request.worker});
}

/// After a crash a client sometimes still tries to finish its runs.
void Script::forget_some_runs() {
  if (!one_in(3)) runs_.clear();
}

// ---- adding ----------------------------------------------------------------------------------

NewJob Script::new_job() {
  static const std::vector<std::string> kNames{"small", "small", "big", "quick", "shut", "unknown"};
  NewJob job{.name = any(kNames), .data = fmt::format(R"({{"n":{}}})", below(1000))};
  if (one_in(8)) job.data = fmt::format(R"({{"func":"{}","word":"검색"}})", any(kNames));
  if (one_in(5)) job.options.id = JobId(fmt::format("custom-{}", below(12)));
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
    request.op = {session, next_sequence(session)};
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
              if (side.updates_script) learn(request, *reply);
            }
            return show(reply);
          }};
}

// ---- taking ----------------------------------------------------------------------------------

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
  if (one_in(30)) finish.id = JobId("no-such-job");
  if (one_in(6)) finish.keep.count = below(3);
  if (one_in(8)) finish.keep.age = std::chrono::seconds(1 + below(3));
  if (one_in(3))
    finish.usage = Usage{.cpu_us = 1 + below(1000), .peak_rss_bytes = below(1000), .wall_us = below(1000)};
  return finish;
}

AdmissionFilter Script::random_filter() {
  constexpr std::uint64_t kGB = 1'000'000'000;
  AdmissionFilter filter{
      .free = {.cores = static_cast<double>(1 + below(4)), .memory_bytes = (1 + below(8)) * kGB}};
  filter.needs[FunctionName("small")] = {.cores = 1, .memory_bytes = kGB};
  filter.needs[FunctionName("big")] = {.cores = 4, .memory_bytes = 6 * kGB};
  filter.needs[FunctionName("quick")] = {.cores = 1, .memory_bytes = kGB, .ends_before_head = true};
  filter.needs[FunctionName("shut")] = {.cores = 1, .memory_bytes = kGB, .unavailable = true};
  if (one_in(3)) filter.default_needs = Needs{.cores = 2, .memory_bytes = 2 * kGB};
  if (one_in(2)) {
    filter.backfill = true;
    filter.spare = {.cores = static_cast<double>(below(3)), .memory_bytes = below(4) * kGB};
  }
  if (one_in(4)) filter.function_field = "func";
  return filter;
}

Operation Script::take() {
  const std::string worker = fmt::format("worker-{}", below(3));
  TakeRequest request{
      .queue = queue(), .op = {SessionName(worker), next_sequence(SessionName(worker))}, .worker = worker};
  request.take = static_cast<std::uint32_t>(below(5));
  request.lock = Duration(one_in(3) ? 1003 : 5003);
  std::set<JobId> chosen;
  for (const Run& run : runs_) {
    if (run.queue != request.queue || run.worker != worker || one_in(3) || !chosen.insert(run.id).second)
      continue;
    request.finished.push_back(finish(run));
  }
  if (one_in(3)) request.filter = random_filter();
  if (one_in(3) && long_polls_) request.long_poll = Duration(600'000);
  last_takes_[request.op.session] = request;
  return send(std::move(request), false);
}

Operation Script::send(TakeRequest request, bool again) {
  std::string text =
      fmt::format("{} {} {}:{} take {}{}{}", again ? "repeat" : "take", request.queue.value,
                  request.op.session.value, request.op.sequence, request.take,
                  request.filter ? " by filter" : "", request.long_poll > Duration(0) ? " long poll" : "");
  for (const Finish& one : request.finished)
    text += fmt::format(" [finish {} {} as {}]", one.id.value, one.token.value, one.outcome.index());
  return {text, [this, request, again](Side& side) -> std::string {
            Pending<TakeReply> pending(side.fixture(), side.store().finish_and_take(request));
            if (request.long_poll > Duration(0)) {
              // The store answers in order: without a reply after the next call, the request is a long poll.
              (void)side.now(side.store().wake_delayed(QueueName("nothing-here")));
              if (!pending.ready()) {
                side.end_long_polls_of(request);
                if (!again) side.checker.sent(request);
                side.long_polls.push_back({request, std::move(pending), again});
                return "long poll";
              }
            }
            const auto reply = pending.get();
            side.end_long_polls_of(request);
            if (!reply || again) return again && reply ? show(reply->finished) : show(reply);
            side.checker.took(request, *reply, side.wall());
            if (side.updates_script) learn(request, *reply);
            return show(reply);
          }};
}

Operation Script::repeat() {
  if (last_add_ && one_in(2)) {
    const AddRequest request = *last_add_;
    const bool is_last = sequences_[request.op.session] == request.op.sequence;
    if (is_last) {
      return {fmt::format("repeat add {}:{}", request.op.session.value, request.op.sequence),
              [this, request](Side& side) {
                const auto before = side.now(side.store().counts(request.queue));
                const auto reply = side.now(side.store().add(request));
                const auto after = side.now(side.store().counts(request.queue));
                // An add that was rejected the first time may succeed now.
                if (reply && before && after && !(*before == *after)) {
                  side.checker.added(request, *reply, side.wall());
                  if (side.updates_script) learn(request, *reply);
                }
                return show(reply);
              }};
    }
  }
  if (last_takes_.empty()) return take();
  auto chosen = last_takes_.begin();
  std::advance(chosen, static_cast<std::ptrdiff_t>(below(last_takes_.size())));
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
            side.fixture().advance(by);
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
          .run =
              [this](Side& side) {
                side.fixture().crash_and_reopen();
                side.checker.reopened();
                if (side.updates_script) forget_some_runs();
                return std::string();
              },
          .crash = true};
}

}  // namespace gaur::conformance
