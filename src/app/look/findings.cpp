#include "app/look/findings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/json.hpp"
#include "core/human_text.hpp"

namespace gaur::app {
namespace {

using Weight = Finding::Weight;

constexpr Duration kBullLock{30'000};
constexpr std::uint64_t kLargestText = 1U << 20U;  // limit of data and results in Gaur
constexpr Duration kLongWait{300'000};

/// "7.0.15" as 7.0; 0 if it is not a version.
double version_of(const std::string& text) {
  int major = 0;
  int minor = 0;
  const char* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, major);
  if (first.ptr != end && *first.ptr == '.') std::from_chars(first.ptr + 1, end, minor);
  return major + minor / 100.0;
}

std::string plural(std::uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

class ServerFindings {
 public:
  ServerFindings(const bull::ServerFacts& server, const std::string& prefix, std::vector<Finding>& out)
      : server_(server), prefix_(prefix), out_(out) {}

  void all() {
    version();
    eviction();
    persistence();
    memory();
    topology();
  }

 private:
  void add(Weight weight, const char* code, std::string what, std::string advice) {
    out_.push_back({weight, code, "", std::move(what), std::move(advice)});
  }

  void version() {
    const double version = version_of(server_.version);
    if (version > 0 && version < 5.0) {
      add(Weight::kProblem, "old-redis", fmt::format("Redis {}", server_.version),
          "Gaur needs 5.0 or later; 6.2 or later is advised");
    } else if (version > 0 && version < 6.02) {
      add(Weight::kNote, "old-redis", fmt::format("Redis {}", server_.version),
          "works; 6.2 or later is advised");
    }
  }

  void eviction() {
    if (server_.maxmemory_policy != "noeviction" && !server_.maxmemory_policy.empty()) {
      const bool bounded = server_.maxmemory_bytes > 0;
      add(bounded ? Weight::kProblem : Weight::kWarning, "eviction",
          fmt::format("maxmemory-policy is {}{}", server_.maxmemory_policy,
                      bounded ? "" : ", though maxmemory is not set"),
          "Redis may evict jobs when memory is short: set it to noeviction; Gaur rejects such a server "
          "unless "
          "store.allow_eviction is true");
    }
    if (server_.evicted_keys > 0) {
      add(Weight::kProblem, "evicted", plural(server_.evicted_keys, "key was evicted", "keys were evicted"),
          "jobs may be among them: an id without a hash is an evicted job");
    }
  }

  void persistence() {
    if (server_.append_only) {
      if (server_.append_fsync == "no")
        add(Weight::kWarning, "fsync", "appendfsync is no",
            "the operating system decides when jobs are written to disk: set it to everysec");
      return;
    }
    if (!server_.config_readable) {
      add(Weight::kNote, "persistence", "no append-only file; snapshots are unknown (CONFIG is not allowed)",
          "jobs added since the last snapshot are lost if Redis crashes: set appendonly yes");
    } else if (server_.save.empty()) {
      add(Weight::kProblem, "persistence", "Redis writes nothing to disk: no append-only file, no snapshots",
          "a restart of Redis loses every job: set appendonly yes, appendfsync everysec");
    } else {
      add(Weight::kWarning, "persistence", fmt::format("snapshots only (save {})", server_.save),
          "jobs added since the last snapshot are lost if Redis crashes: set appendonly yes, appendfsync "
          "everysec");
    }
  }

  void memory() {
    if (server_.maxmemory_bytes == 0) return;
    const double share =
        static_cast<double>(server_.used_bytes) / static_cast<double>(server_.maxmemory_bytes);
    if (share < 0.8) return;
    add(Weight::kWarning, "memory",
        fmt::format("{} of {} are used", human_bytes(server_.used_bytes),
                    human_bytes(server_.maxmemory_bytes)),
        "at the limit adds fail (noeviction) or jobs are evicted: keep fewer finished jobs or raise "
        "maxmemory");
  }

  void topology() {
    if (server_.role == "slave")
      add(Weight::kProblem, "replica", "this server is a replica", "use its master");
    if (server_.mode == "cluster" && prefix_.find('{') == std::string::npos) {
      add(Weight::kWarning, "cluster", "a cluster, and the prefix has no {tag}",
          "the keys of a queue must share a slot: Bull itself fails with CROSSSLOT");
    }
  }

  const bull::ServerFacts& server_;
  const std::string& prefix_;
  std::vector<Finding>& out_;
};

class QueueFindings {
 public:
  QueueFindings(const QueueFacts& facts, std::string field, std::vector<Finding>& out)
      : facts_(facts), look_(facts.look), field_(std::move(field)), out_(out) {}

  void all() {
    dialect();
    if (look_.evidence.dialect() == redis_store::DetectedDialect::kBullMq) return;
    plain_workers();
    unlocked();
    set_aside();
    delayed();
    waiting();
    schedules();
    functions();
    kept();
  }

 private:
  void add(Weight weight, const char* code, std::string what, std::string advice) {
    out_.push_back({weight, code, look_.queue.value, std::move(what), std::move(advice)});
  }
  /// Whether a worker that called process() runs: it checks locks and wakes delayed jobs.
  bool has_process_worker() const { return look_.stalled_check_runs || !look_.workers.empty(); }

  void dialect() {
    const Status usable = bull::may_be_used_as_bull(look_.queue, look_.evidence);
    if (!usable)
      add(Weight::kProblem, "dialect", usable.error().message,
          "use either Bull or BullMQ clients on one queue; until then a host takes no jobs from it");
    if (usable && !look_.evidence.client_traces.empty())
      add(Weight::kNote, "bullmq-looked",
          "a BullMQ client has read it (" + look_.evidence.client_traces.front() + ")",
          "reading does no harm; a BullMQ client that adds or takes jobs here would lose jobs");
    if (look_.counts.paused)
      add(Weight::kNote, "paused", "the queue is paused",
          "no worker takes jobs until it is resumed; Gaur does not either");
    if (look_.repeatable > 0)
      add(Weight::kNote, "repeatable", plural(look_.repeatable, "repeatable job", "repeatable jobs"),
          "Gaur schedules their next runs as Bull does");
  }

  void plain_workers() {
    const Counts& counts = look_.counts;
    const bool used = counts[State::kActive] + counts[State::kWaiting] + counts[State::kDelayed] +
                          counts[State::kCompleted] + counts[State::kFailed] >
                      0;
    if (has_process_worker() || !used) return;
    add(Weight::kWarning, "plain-workers",
        "no connected worker has called process(); workers that only call getNextJob() have no name, do not "
        "renew locks, do not check for stalled jobs and do not wake delayed jobs",
        "run `gaur work --sweep-only` beside them: it recovers stalled jobs, wakes delayed jobs and takes "
        "none");
  }

  void unlocked() {
    if (look_.unlocked.empty()) return;
    std::array<std::uint64_t, 4> by_age{};  // under a minute, an hour, a day; older
    Duration oldest{0};
    for (const bull::UnlockedActive& job : look_.unlocked) {
      const Duration age = job.age.value_or(Duration(0));
      oldest = std::max(oldest, age);
      const std::size_t bucket = age < std::chrono::minutes(1)  ? 0
                                 : age < std::chrono::hours(1)  ? 1
                                 : age < std::chrono::hours(24) ? 2
                                                                : 3;
      by_age[bucket] += 1;
    }
    add(Weight::kProblem, "orphans",
        fmt::format(
            "{} without a lock: {} under a minute, {} under an hour, {} under a day, {} older; the oldest {}",
            plural(look_.unlocked.size(), "active job", "active jobs"), by_age[0], by_age[1], by_age[2],
            by_age[3], human_age(oldest)),
        has_process_worker()
            ? "either their worker died, or they run longer than their lock and the stalled check of other "
              "workers will start them a second time"
            : "either their worker died and no other requeues them, or they run longer than their lock, "
              "which "
              "plain Bull workers do not renew. Gaur reports them and does not requeue them by default "
              "(worker.orphan_age, --stalled)");
  }

  void set_aside() {
    if (facts_.set_aside.empty()) return;
    constexpr std::size_t kShown = 5;
    std::string shown;
    for (std::size_t i = 0; i < std::min(kShown, facts_.set_aside.size()); ++i) {
      const bull::SetAside& one = facts_.set_aside[i];
      shown += fmt::format("{}{} (in {}: {})", i > 0 ? ", " : "", json::quote(one.id), one.from, one.why);
    }
    add(Weight::kProblem, "set-aside",
        fmt::format("{} set aside: {}{}", plural(facts_.set_aside.size(), "id was", "ids were"), shown,
                    facts_.set_aside.size() > kShown ? ", ..." : ""),
        fmt::format("another program wrote them, or the jobs were evicted or deleted; no key was changed. "
                    "HDEL gaur:PREFIX:{}:set_aside ID removes an entry; push the id to wait again once its "
                    "hash exists",
                    look_.queue.value));
  }

  void delayed() {
    if (look_.overdue_total > 0) {
      const Time oldest = look_.overdue.empty() ? look_.now : look_.overdue.front().due;
      add(Weight::kProblem, "overdue",
          fmt::format("{} due up to {} ago and still delayed",
                      plural(look_.overdue_total, "job is", "jobs are"), human_age(look_.now - oldest)),
          "no worker wakes them, and the first recovery of a host wakes them all at once: decide first "
          "whether "
          "they are still wanted (`gaur work` lists them before it wakes them)");
    } else if (look_.counts[State::kDelayed] > 0 && !has_process_worker()) {
      add(Weight::kProblem, "overdue",
          fmt::format("{}, and no connected worker wakes them",
                      plural(look_.counts[State::kDelayed], "delayed job", "delayed jobs")),
          "jobs with `delay`, or with `attempts` and `backoff`, never run: `gaur work --sweep-only` wakes "
          "them "
          "on time");
    }
  }

  void waiting() {
    if (!look_.oldest_waiting_since) return;
    const Duration age = look_.now - *look_.oldest_waiting_since;
    if (age < kLongWait) return;
    add(Weight::kWarning, "waiting",
        fmt::format("{} wait; the next has waited for {}", look_.counts[State::kWaiting], human_age(age)),
        look_.counts[State::kActive] == 0 ? "no job is active: check that the workers run"
                                          : "`gaur size` recommends a number of slots for this load");
  }

  void functions() {
    for (const FunctionLook& function : functions_of(facts_.kept, field_)) {
      if (function.run_ms.count > 0 && function.run_ms.most > static_cast<double>(kBullLock.count())) {
        add(Weight::kWarning, "long-runs",
            fmt::format("{} runs for up to {} (p95 {})", function.function,
                        human_duration(Duration(std::llround(function.run_ms.most))),
                        human_duration(Duration(std::llround(function.run_ms.p95)))),
            "longer than Bull's lock of 30 s: with a worker that does not renew it, the finish fails with "
            "\"Missing lock\" or the job is started a second time");
      }
      failures(function);
      large(function);
    }
  }

  void failures(const FunctionLook& function) {
    const std::uint64_t all = function.completed + function.failed;
    if (function.failed * 20 < all || function.failures.empty()) return;
    add(Weight::kWarning, "failures",
        fmt::format("{}: {} of {} kept jobs failed, most often \"{}\"", function.function, function.failed,
                    all, function.failures.front().first),
        "these jobs will fail under Gaur as well: check them before the switch");
  }

  void large(const FunctionLook& function) {
    if (function.result_bytes.most > static_cast<double>(kLargestText) ||
        function.data_bytes.most > static_cast<double>(kLargestText)) {
      add(Weight::kWarning, "large",
          fmt::format("{}: data up to {}, results up to {}", function.function,
                      human_bytes(static_cast<std::uint64_t>(function.data_bytes.most)),
                      human_bytes(static_cast<std::uint64_t>(function.result_bytes.most))),
          "more than 1 MiB is an error in Gaur: write the result to a file (on_large = \"file\" or \"url\")");
    }
  }

  void schedules() {
    for (const bull::UnreadableSchedule& one : look_.unreadable) {
      add(Weight::kProblem, "unreadable-schedules", fmt::format("schedule {}: {}", one.key, one.why),
          "it ends with its next run; add it again with a valid pattern, zone and dates");
    }
  }

  void kept() {
    const std::uint64_t finished = look_.counts[State::kCompleted] + look_.counts[State::kFailed];
    if (finished < 10'000 || facts_.kept.empty()) return;
    std::uint64_t bytes = 0;
    for (const KeptJob& job : facts_.kept) bytes += job.data_bytes + job.result_bytes;
    const double each = static_cast<double>(bytes) / static_cast<double>(facts_.kept.size());
    add(Weight::kNote, "kept",
        fmt::format("{} finished jobs are kept, about {}", finished,
                    human_bytes(static_cast<std::uint64_t>(each * static_cast<double>(finished)))),
        "Bull keeps all of them unless a job has removeOnComplete; queues.NAME.keep_completed limits them");
  }

  const QueueFacts& facts_;
  const bull::QueueLook& look_;
  std::string field_;
  std::vector<Finding>& out_;
};

}  // namespace

std::string_view to_string(Finding::Weight weight) {
  switch (weight) {
    case Weight::kProblem: return "problem";
    case Weight::kWarning: return "warning";
    case Weight::kNote: return "note";
  }
  return "";
}

std::string human_age(Duration age) {
  const double seconds = static_cast<double>(age.count()) / 1000;
  if (seconds < 120) return fmt::format("{:.0f} s", std::max(0.0, seconds));
  if (seconds < 7200) return fmt::format("{:.0f} min", seconds / 60);
  if (seconds < 172'800) return fmt::format("{:.0f} h", seconds / 3600);
  return fmt::format("{:.0f} d", seconds / 86'400);
}

std::vector<Finding> findings_of(const LookFacts& facts, const std::string& function_field) {
  std::vector<Finding> found;
  ServerFindings(facts.server, facts.prefix, found).all();
  for (const RefusedFacts& refused : facts.refused) {
    found.push_back({Weight::kProblem, "refused", refused.queue.value, refused.error.message,
                     "a host takes no jobs from it until this is fixed; its other queues continue"});
  }
  for (const QueueFacts& queue : facts.queues) QueueFindings(queue, function_field, found).all();
  if (!facts.every_queue) {
    found.push_back(
        {Weight::kNote, "partial", "", "the search for queues reached its limit", "name them with --queue"});
  }
  std::ranges::stable_sort(found, [](const Finding& a, const Finding& b) { return a.weight < b.weight; });
  return found;
}

}  // namespace gaur::app
