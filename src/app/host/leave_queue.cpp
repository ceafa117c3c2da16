#include "app/host/leave_queue.hpp"

#include <fmt/format.h>

#include "app/host/startup_report.hpp"
#include "base/time_text.hpp"
#include "base/try.hpp"
#include "core/human_text.hpp"

namespace gaur::app {
namespace {

constexpr std::uint32_t kPage = 1'000;
constexpr std::uint64_t kMostPromoted = 100'000;  // more are left to the operator

std::string id_list(const std::vector<JobId>& ids) {
  std::vector<std::string> texts;
  for (const JobId& id : ids) texts.push_back(id.value);
  return human_list(texts, texts.size());
}

/// The steps of leave_queue(); each adds its findings to `notes`.
class QueueHandover {
 public:
  QueueHandover(OpenedStore& opened, const QueueName& queue, const SessionName& session)
      : opened_(opened), store_(opened.store()), queue_(queue), session_(session) {}

  std::vector<LeaveNote> notes;

  /// Requeues jobs that are still locked by this host: it was killed, or its last finishes were lost.
  Status requeue() {
    GAUR_TRY(const std::vector<JobId> requeued, store_.reclaim({queue_, session_}).get());
    if (!requeued.empty())
      report(fmt::format("requeued {} held by this host: {}", jobs(requeued.size()), id_list(requeued)));
    return ok();
  }

  /// Wakes delayed jobs that are due: plain Bull workers never do.
  Status wake_due() {
    GAUR_TRY(const bull::QueueLook before, opened_.inspector->look(queue_).get());
    std::uint64_t left = before.counts[State::kDelayed];
    while (true) {
      GAUR_CHECK(store_.wake_delayed(queue_).get());
      GAUR_TRY(const Counts now, store_.counts(queue_).get());
      const bool moved = now[State::kDelayed] < left;
      if (moved) report(fmt::format("woke {} that were overdue", jobs(left - now[State::kDelayed])));
      left = now[State::kDelayed];
      if (!moved || left == 0) return ok();
    }
  }

  Status handle_delayed(Delayed what) {
    GAUR_TRY(const Counts counts, store_.counts(queue_).get());
    GAUR_TRY(DelayedJobs found, read_delayed());
    report_repeats(found);
    const std::uint64_t others = counts[State::kDelayed] - std::min(found.repeats, counts[State::kDelayed]);
    if (others == 0) return ok();
    if (what == Delayed::kPromote) return promote_all(others);
    const std::string list = human_list(found.others, others);
    if (what == Delayed::kKeep) {
      report(fmt::format("{} delayed, kept for another worker to wake: {}", jobs(others), list));
    } else {
      warn(fmt::format(
          "{} delayed, and plain Bull workers never wake them: {}. Use `--delayed=promote` to make them wait "
          "now, before their time; or keep a `gaur work --sweep-only` running and use `--delayed=keep`",
          jobs(others), list));
    }
    return ok();
  }

  Status verify() {
    GAUR_TRY(const std::vector<JobId> again, store_.reclaim({queue_, session_}).get());
    if (!again.empty())
      warn(fmt::format("{} were taken under this host's name meanwhile: {}; does another host use the name?",
                       jobs(again.size()), id_list(again)));
    GAUR_TRY(const bull::QueueLook look, opened_.inspector->look(queue_).get());
    const std::uint64_t active = look.counts[State::kActive];
    const std::uint64_t unlocked = look.unlocked.size();
    if (active > unlocked) report(fmt::format("{} active, locked by other workers", jobs(active - unlocked)));
    if (unlocked > 0) {
      std::vector<std::string> texts;
      for (const bull::UnlockedActive& job : look.unlocked) {
        texts.push_back(job.age ? fmt::format("{} (started {} ago)", job.id.value, human_duration(*job.age))
                                : job.id.value);
      }
      report(fmt::format(
          "{} active without a lock, not taken by this host: {}. A plain Bull worker runs them or died; "
          "`gaur work --sweep-only` requeues the jobs of a dead worker",
          jobs(unlocked), human_list(texts, unlocked)));
    }
    if (look.counts.paused) report("paused: no worker takes jobs until it is resumed");
    report("now: " + human_counts(look.counts));
    return ok();
  }

 private:
  static std::string jobs(std::uint64_t count) {
    return fmt::format("{} {}", count, count == 1 ? "job" : "jobs");
  }
  static std::string describe(const Job& job) {
    return job.due ? fmt::format("{} (due {})", job.id.value, iso_time_seconds(*job.due)) : job.id.value;
  }
  Result<std::vector<Job>> delayed_page(std::uint64_t offset) {
    return store_.range({.queue = queue_, .state = State::kDelayed, .offset = offset, .limit = kPage}).get();
  }
  /// Next runs of repeatable jobs are never promoted: they would run twice in one interval.
  static bool is_repeat(const Job& job) { return job.id.value.starts_with("repeat:"); }

  struct DelayedJobs {
    /// Next runs of repeatable jobs.
    std::uint64_t repeats = 0;
    /// The first next runs of repeatable jobs and the first other jobs, as text.
    std::vector<std::string> next, others;
  };
  Result<DelayedJobs> read_delayed() {
    DelayedJobs found;
    for (std::uint64_t offset = 0; offset < kMostPromoted; offset += kPage) {
      GAUR_TRY(const std::vector<Job> page, delayed_page(offset));
      for (const Job& job : page) {
        if (is_repeat(job)) ++found.repeats;
        auto& words = is_repeat(job) ? found.next : found.others;
        if (words.size() < kPage) words.push_back(describe(job));
      }
      if (page.size() < kPage) break;
    }
    return found;
  }

  /// They are left unchanged: Bull schedules the run after the next when it starts the next.
  void report_repeats(const DelayedJobs& found) {
    if (found.repeats == 0) return;
    report(
        fmt::format("repeatable jobs: {} scheduled, and Bull continues them: a worker that calls "
                    "queue.process() runs each at its time and schedules the next; workers that only call "
                    "getNextJob() never wake them: {}",
                    found.repeats == 1 ? "1 next run stays" : fmt::format("{} next runs stay", found.repeats),
                    human_list(found.next, found.repeats)));
  }

  Status promote_all(std::uint64_t total) {
    std::uint64_t promoted = 0;
    std::uint64_t kept = 0;
    while (promoted < kMostPromoted) {
      GAUR_TRY(const std::vector<Job> page, delayed_page(kept));
      if (page.empty()) break;
      for (const Job& job : page) {
        if (is_repeat(job)) {
          ++kept;
          continue;
        }
        const Status done = store_.promote({queue_, job.id}).get();
        if (!done && done.error().code != Errc::kNotInState && done.error().code != Errc::kNotFound)
          return done.error();
        if (done) ++promoted;
      }
    }
    if (promoted > 0) report(fmt::format("promoted {} of {} delayed: they wait now", promoted, jobs(total)));
    return ok();
  }

  void report(std::string line) { notes.push_back({false, std::move(line)}); }
  void warn(std::string line) { notes.push_back({true, std::move(line)}); }

  OpenedStore& opened_;
  Store& store_;
  const QueueName& queue_;
  const SessionName& session_;
};

}  // namespace

Result<std::vector<LeaveNote>> leave_queue(OpenedStore& opened, const QueueName& queue,
                                           const SessionName& session, Delayed delayed) {
  QueueHandover handover(opened, queue, session);
  GAUR_CHECK(handover.requeue());
  GAUR_CHECK(handover.wake_due());
  GAUR_CHECK(handover.handle_delayed(delayed));
  GAUR_CHECK(handover.verify());
  return std::move(handover.notes);
}

}  // namespace gaur::app
