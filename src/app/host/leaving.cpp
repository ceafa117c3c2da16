#include "app/host/leaving.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "app/host/startup_report.hpp"
#include "base/try.hpp"
#include "core/human_text.hpp"

namespace gaur::app {
namespace {

constexpr std::uint32_t kPage = 1'000;
constexpr std::uint64_t kMostPromoted = 100'000;  // beyond it somebody has to look

std::string time_in_words(Time time) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

std::string ids_in_words(const std::vector<JobId>& ids) {
  std::vector<std::string> texts;
  for (const JobId& id : ids) texts.push_back(id.value);
  return human_list(texts, texts.size());
}

/// One step after the other on one queue; `notes` is what it found.
class Leaver {
 public:
  Leaver(OpenedStore& opened, const QueueName& queue, const SessionName& session)
      : opened_(opened), store_(opened.store()), queue_(queue), lane_(session) {}

  std::vector<LeaveNote> notes;

  /// What a host of this name still held: the host was killed, or its last finishes got lost.
  Status requeue() {
    GAUR_TRY(const std::vector<JobId> back, store_.reclaim({queue_, lane_}).get());
    if (!back.empty())
      tell(fmt::format("gave back {} held by this host: {}", jobs(back.size()), ids_in_words(back)));
    return ok();
  }

  /// Delayed jobs that are due: bare workers never wake them.
  Status wake_due() {
    GAUR_TRY(const bull::QueueLook before, opened_.inspector->look(queue_).get());
    std::uint64_t left = before.counts[State::kDelayed];
    while (true) {
      GAUR_CHECK(store_.wake_delayed(queue_).get());
      GAUR_TRY(const Counts now, store_.counts(queue_).get());
      const bool moved = now[State::kDelayed] < left;
      if (moved)
        tell(fmt::format("woke {} that had slept past their time", jobs(left - now[State::kDelayed])));
      left = now[State::kDelayed];
      if (!moved || left == 0) return ok();
    }
  }

  Status see_to_delayed(Delayed what) {
    GAUR_TRY(const Counts counts, store_.counts(queue_).get());
    GAUR_TRY(DelayedJobs found, read_delayed());
    report_repeats(found);
    const std::uint64_t others = counts[State::kDelayed] - std::min(found.repeats, counts[State::kDelayed]);
    if (others == 0) return ok();
    if (what == Delayed::kPromote) return promote_all(others);
    const std::string list = human_list(found.others, others);
    if (what == Delayed::kKeep) {
      tell(fmt::format("{} delayed, to be woken by somebody else: {}", jobs(others), list));
    } else {
      warn(fmt::format(
          "{} delayed, and bare workers never wake them: {}. `--delayed=promote` lets them wait now, "
          "before their time; or keep a `gaur work --sweep-only` and leave with `--delayed=keep`",
          jobs(others), list));
    }
    return ok();
  }

  Status verify() {
    GAUR_TRY(const std::vector<JobId> again, store_.reclaim({queue_, lane_}).get());
    if (!again.empty())
      warn(fmt::format("{} were still held under this host's name: {}; does another host carry it?",
                       jobs(again.size()), ids_in_words(again)));
    GAUR_TRY(const bull::QueueLook look, opened_.inspector->look(queue_).get());
    const std::uint64_t active = look.counts[State::kActive];
    const std::uint64_t unlocked = look.unlocked.size();
    if (active > unlocked) tell(fmt::format("{} active under other workers' locks", jobs(active - unlocked)));
    if (unlocked > 0) {
      std::vector<std::string> texts;
      for (const bull::UnlockedActive& job : look.unlocked) {
        texts.push_back(job.age ? fmt::format("{} (started {} ago)", job.id.value, human_duration(*job.age))
                                : job.id.value);
      }
      tell(fmt::format(
          "{} active without a lock, none of ours: {}. A bare worker runs them or left them behind; "
          "those left behind only a sweep returns (`gaur work --sweep-only`)",
          jobs(unlocked), human_list(texts, unlocked)));
    }
    if (look.counts.paused) tell("it is paused: nobody takes from it until it is resumed");
    tell("now: " + human_counts(look.counts));
    return ok();
  }

 private:
  static std::string jobs(std::uint64_t count) {
    return fmt::format("{} {}", count, count == 1 ? "job" : "jobs");
  }
  static std::string words_of(const Job& job) {
    return job.due ? fmt::format("{} (due {})", job.id.value, time_in_words(*job.due)) : job.id.value;
  }
  Result<std::vector<Job>> first_delayed(std::uint64_t offset) {
    return store_.range({.queue = queue_, .state = State::kDelayed, .offset = offset, .limit = kPage}).get();
  }
  /// The next runs of repeatable jobs keep their time: they would run twice in their slot.
  static bool is_repeat(const Job& job) { return job.id.value.starts_with("repeat:"); }

  struct DelayedJobs {
    std::uint64_t repeats = 0;  ///< next runs of repeatable jobs
    std::vector<std::string> next,
        others;  ///< in words: of the repeatable jobs, and all others; the first of each
  };
  Result<DelayedJobs> read_delayed() {
    DelayedJobs found;
    for (std::uint64_t offset = 0; offset < kMostPromoted; offset += kPage) {
      GAUR_TRY(const std::vector<Job> page, first_delayed(offset));
      for (const Job& job : page) {
        if (is_repeat(job)) ++found.repeats;
        auto& words = is_repeat(job) ? found.next : found.others;
        if (words.size() < kPage) words.push_back(words_of(job));
      }
      if (page.size() < kPage) break;
    }
    return found;
  }

  /// They stay as they are: Bull plans the run after the next when it starts the next, as this host did.
  void report_repeats(const DelayedJobs& found) {
    if (found.repeats == 0) return;
    tell(fmt::format(
        "repeatable jobs: {} scheduled, and Bull continues them: a worker that calls "
        "queue.process() runs each at its time and plans the one after it; workers that only call "
        "getNextJob() never wake them, as before: {}",
        found.repeats == 1 ? "1 next run stays" : fmt::format("{} next runs stay", found.repeats),
        human_list(found.next, found.repeats)));
  }

  Status promote_all(std::uint64_t total) {
    std::uint64_t promoted = 0;
    std::uint64_t kept = 0;
    while (promoted < kMostPromoted) {
      GAUR_TRY(const std::vector<Job> page, first_delayed(kept));
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
    if (promoted > 0) tell(fmt::format("promoted {} of {} delayed: they wait now", promoted, jobs(total)));
    return ok();
  }

  void tell(std::string line) { notes.push_back({false, std::move(line)}); }
  void warn(std::string line) { notes.push_back({true, std::move(line)}); }

  OpenedStore& opened_;
  Store& store_;
  const QueueName& queue_;
  const SessionName& lane_;
};

}  // namespace

Result<std::vector<LeaveNote>> leave_queue(OpenedStore& opened, const QueueName& queue,
                                           const SessionName& session, Delayed delayed) {
  Leaver leaver(opened, queue, session);
  GAUR_CHECK(leaver.requeue());
  GAUR_CHECK(leaver.wake_due());
  GAUR_CHECK(leaver.see_to_delayed(delayed));
  GAUR_CHECK(leaver.verify());
  return std::move(leaver.notes);
}

}  // namespace gaur::app
