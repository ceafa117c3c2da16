// The operations of a history on single jobs and on queues, and the reads.
#include <fmt/format.h>

#include "conformance/history_script.hpp"

namespace gaur::conformance {

namespace {
std::string named(std::string_view verb, const JobRef& job) {
  return fmt::format("{} {}/{}", verb, job.queue.value, job.id.value);
}
}  // namespace

Operation Script::cancel() {
  const JobRef ref = job();
  return {named("cancel", ref),
          [ref](Side& side) { return show(side.now(side.store().cancel(ref, "kim", "enough"))); }};
}

Operation Script::retry() {
  const JobRef ref = job();
  const bool reset = one_in(2);
  return {named(reset ? "retry and reset" : "retry", ref), [ref, reset](Side& side) {
            const auto reply = side.now(side.store().retry(ref, reset));
            if (reply) side.checker.retried(ref, reset);
            return show(reply);
          }};
}

Operation Script::promote() {
  const JobRef ref = job();
  return {named("promote", ref), [ref](Side& side) {
            // Before the call: a long poll may take the job in the same step.
            const auto state = side.now(side.store().state(ref));
            const auto reply = side.now(side.store().promote(ref));
            if (reply && state && *state == State::kDelayed) side.checker.due_changed(ref, {});
            return show(reply);
          }};
}

Operation Script::remove() {
  const JobRef ref = job();
  return {named("remove", ref), [ref](Side& side) {
            const auto reply = side.now(side.store().remove(ref));
            if (reply) side.checker.removed(ref);
            return show(reply);
          }};
}

Operation Script::edit() {
  const JobRef ref = job();
  switch (below(4)) {
    case 0: {
      const std::string data = fmt::format(R"({{"edited":{}}})", below(100));
      return {named("update data of", ref), [ref, data](Side& side) {
                const auto reply = side.now(side.store().update_data(ref, data));
                if (reply) side.checker.data_updated(ref, data);
                return show(reply);
              }};
    }
    case 1: {
      std::vector<std::string> lines;
      for (std::uint64_t left = 1 + below(3); left > 0; --left)
        lines.push_back(fmt::format("line {}", below(1000)));
      return {named("log", ref), [ref, lines](Side& side) {
                const auto total = side.now(side.store().append_logs(ref, lines));
                return show(total) + " " + show(side.now(side.store().logs(ref, 0, 100)));
              }};
    }
    default: {
      std::optional<LockToken> token;
      JobRef whose = ref;
      if (!runs_.empty() && one_in(2)) {
        const Run& run = any(runs_);
        whose = {run.queue, run.id};
        token = one_in(4) ? LockToken("stale:1:0") : run.token;
      }
      const std::string progress = std::to_string(below(100));
      return {named("progress of", whose), [whose, token, progress](Side& side) {
                return show(side.now(side.store().update_progress(whose, token, progress)));
              }};
    }
  }
}

Operation Script::administer() {
  const QueueName name = queue();
  switch (below(8)) {
    case 0:
    case 1:
      return {"pause " + name.value, [name](Side& side) { return show(side.now(side.store().pause(name))); }};
    case 2:
    case 3:
    case 4:
      return {"resume " + name.value,
              [name](Side& side) { return show(side.now(side.store().resume(name))); }};
    case 5: {
      const bool delayed_too = one_in(2);
      return {"drain " + name.value, [name, delayed_too](Side& side) {
                side.read_events(name);
                std::set<State> states{State::kWaiting, State::kPrioritized};
                if (delayed_too) states.insert(State::kDelayed);
                side.checker.may_be_removed_in(name, states);
                return show(side.now(side.store().drain(name, delayed_too)));
              }};
    }
    default: {
      const State state = one_in(2) ? State::kCompleted : State::kFailed;
      const Duration grace(below(2000));
      const std::uint64_t limit = below(4);
      return {
          fmt::format("clean {} {} grace {} limit {}", name.value, to_string(state), grace.count(), limit),
          [name, state, grace, limit](Side& side) {
            side.read_events(name);
            side.checker.may_be_removed_in(name, {state});
            return show(side.now(side.store().clean(name, state, grace, limit)));
          }};
    }
  }
}

Operation Script::read() {
  const JobRef ref = job();
  if (one_in(2))
    return {named("position of", ref),
            [ref](Side& side) { return show(side.now(side.store().position(ref))); }};
  const RangeRequest range{.queue = ref.queue,
                           .state = any(std::vector(kAllStates.begin(), kAllStates.end())),
                           .offset = below(4),
                           .limit = static_cast<std::uint32_t>(1 + below(5)),
                           .newest_first = one_in(2)};
  return {named("get and range", ref), [ref, range](Side& side) {
            return show(side.now(side.store().get(ref))) + " " + show(side.now(side.store().state(ref))) +
                   " " + show(side.now(side.store().range(range)));
          }};
}

}  // namespace gaur::conformance
