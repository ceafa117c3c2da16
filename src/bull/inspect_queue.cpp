// The state of one queue: counts, unlocked active jobs, overdue delayed jobs, workers, schedules.
#include <fmt/format.h>

#include <algorithm>

#include "bull/inspect_impl.hpp"
#include "bull/repeat.hpp"

namespace gaur::bull {

namespace {

std::optional<Time> time_of(const redis::Reply& reply) {
  const std::string text = text_of(reply);
  if (text.empty()) return std::nullopt;
  return from_ms(whole_number(text));
}

/// The replies of look_at_lists(), by index.
enum Asked : std::size_t {
  kTime,
  kWait,
  kPausedList,
  kPriority,
  kDelayed,
  kActive,
  kCompleted,
  kFailed,
  kIsPaused,
  kStalledCheck,
  kRepeat,
  kActiveIds,
  kFirstDelayed,
};

Time server_time(const redis::Reply& reply) {
  const auto& parts = array_of(reply);
  if (parts.size() != 2) return {};
  return from_ms(integer_of(parts[0]) * 1000 + integer_of(parts[1]) / 1000);
}

Counts counts_of(const Replies& lists) {
  Counts counts;
  const std::uint64_t ready = count_of(lists[kWait]) + count_of(lists[kPausedList]);
  counts[State::kPrioritized] = std::min(ready, count_of(lists[kPriority]));
  counts[State::kWaiting] = ready - counts[State::kPrioritized];
  counts[State::kDelayed] = count_of(lists[kDelayed]);
  counts[State::kActive] = count_of(lists[kActive]);
  counts[State::kCompleted] = count_of(lists[kCompleted]);
  counts[State::kFailed] = count_of(lists[kFailed]);
  counts.paused = integer_of(lists[kIsPaused]) == 1;
  return counts;
}
}  // namespace

void Inspector::Impl::look_at_lists(const Promise<Result<QueueLook>>& promise, QueueLook look) {
  const Keys keys(prefix, look.queue);
  std::vector<redis::Command> commands{{"TIME"},
                                       {"LLEN", keys.at("wait")},
                                       {"LLEN", keys.at("paused")},
                                       {"ZCARD", keys.at("priority")},
                                       {"ZCARD", keys.at("delayed")},
                                       {"LLEN", keys.at("active")},
                                       {"ZCARD", keys.at("completed")},
                                       {"ZCARD", keys.at("failed")},
                                       {"EXISTS", keys.at("meta-paused")},
                                       {"EXISTS", keys.at("stalled-check")},
                                       {"ZCARD", keys.at("repeat")},
                                       {"LRANGE", keys.at("active"), fmt::format("-{}", limits.active), "-1"},
                                       {"ZRANGE", keys.at("delayed"), "0", "0", "WITHSCORES"}};
  ask(std::move(commands), promise,
      [self = shared_from_this(), promise, look = std::move(look)](const Replies& lists) mutable {
        self->look_at_jobs(promise, std::move(look), lists);
      });
}

void Inspector::Impl::look_at_jobs(const Promise<Result<QueueLook>>& promise, QueueLook look,
                                   const Replies& lists) {
  const Keys keys(prefix, look.queue);
  look.now = server_time(lists[kTime]);
  look.counts = counts_of(lists);
  look.repeatable = count_of(lists[kRepeat]);
  look.stalled_check_runs = integer_of(lists[kStalledCheck]) == 1;
  if (const auto& first = array_of(lists[kFirstDelayed]); first.size() == 2)
    look.next_due = from_ms(whole_number(text_of(first[1])) / 4096);

  auto active = array_of(lists[kActiveIds]);
  std::reverse(active.begin(), active.end());  // the tail was taken first
  look.active_seen = active.size();
  const std::string late = fmt::format("{}", (to_ms(look.now) - kOverdueAfter.count()) * 4096);
  const std::string line = keys.at(count_of(lists[kWait]) > 0 ? "wait" : "paused");
  std::vector<redis::Command> commands{
      {"LINDEX", line, fmt::format("-{}", look.counts[State::kPrioritized] + 1)},
      {"LINDEX", line, "-1"},
      {"ZCOUNT", keys.at("delayed"), "-inf", late},
      {"ZRANGEBYSCORE", keys.at("delayed"), "-inf", late, "WITHSCORES", "LIMIT", "0",
       std::to_string(limits.delayed)},
      {"CLIENT", "LIST"}};
  for (const auto& id : active) {
    commands.push_back({"EXISTS", keys.at(text_of(id) + ":lock")});
    commands.push_back({"HMGET", keys.at(text_of(id)), "name", "processedOn", "stalledCounter"});
  }
  ask(std::move(commands), promise,
      [self = shared_from_this(), promise, keys, look = std::move(look),
       active](const Replies& jobs) mutable {
        const std::string without_priority = text_of(jobs[0]);
        const std::string oldest = without_priority.empty() ? text_of(jobs[1]) : without_priority;
        if (!oldest.empty()) look.oldest_waiting = JobId(oldest);
        look.overdue_total = count_of(jobs[2]);
        const auto& overdue = array_of(jobs[3]);
        for (std::size_t i = 0; i + 1 < overdue.size(); i += 2)
          look.overdue.push_back(
              {JobId(text_of(overdue[i])), from_ms(whole_number(text_of(overdue[i + 1])) / 4096)});
        look.workers = redis_store::workers_of(text_of(jobs[4]),
                                               redis_store::worker_connection_name(self->prefix, look.queue));
        for (std::size_t i = 0; i < active.size(); ++i) {
          if (integer_of(jobs[5 + 2 * i]) == 1) continue;
          const auto& fields = array_of(jobs[6 + 2 * i]);
          if (fields.size() != 3) continue;
          UnlockedActive lost{.id = JobId(text_of(active[i])), .name = text_of(fields[0])};
          lost.started = time_of(fields[1]);
          if (lost.started) lost.age = look.now - *lost.started;
          lost.stalled = static_cast<std::uint32_t>(count_of(fields[2]));
          look.unlocked.push_back(std::move(lost));
        }
        if (!look.oldest_waiting) return self->look_at_schedules(promise, std::move(look));
        std::vector<redis::Command> last{{"HGET", keys.job(*look.oldest_waiting), "timestamp"}};
        self->ask(std::move(last), promise,
                  [self, promise, look = std::move(look)](const Replies& since) mutable {
                    look.oldest_waiting_since = time_of(since[0]);
                    self->look_at_schedules(promise, std::move(look));
                  });
      });
}

/// Computes what the worker that takes the next iteration of each schedule will compute.
void Inspector::Impl::look_at_schedules(const Promise<Result<QueueLook>>& promise, QueueLook look) {
  if (look.repeatable == 0) return promise.set(std::move(look));
  const Keys keys(prefix, look.queue);
  std::vector<redis::Command> commands{{"ZRANGE", keys.at("repeat"), "0", "99", "WITHSCORES"}};
  ask(std::move(commands), promise,
      [self = shared_from_this(), promise, keys, look = std::move(look)](const Replies& found) mutable {
        const auto& members = array_of(found[0]);
        std::vector<std::string> names;
        std::vector<redis::Command> runs;
        for (std::size_t i = 0; i + 1 < members.size(); i += 2) {
          const std::string key = text_of(members[i]);
          const auto parts = parse_repeat_key(key);
          if (!parts) continue;
          const std::string run = fmt::format("repeat:{}:{}", repeat_hash(parts->name, parts->job_id, key),
                                              text_of(members[i + 1]));
          names.push_back(key);
          runs.push_back({"HGET", keys.at(run), "opts"});
        }
        if (runs.empty()) return promise.set(std::move(look));
        self->ask(std::move(runs), promise,
                  [promise, names, look = std::move(look)](const Replies& options) mutable {
                    for (std::size_t i = 0; i < names.size(); ++i) {
                      if (options[i].text() == nullptr) continue;  // it was taken a moment ago
                      if (auto why = unreadable_schedule(*options[i].text(), look.now))
                        look.unreadable.push_back({names[i], *std::move(why)});
                    }
                    promise.set(std::move(look));
                  });
      });
}

}  // namespace gaur::bull
