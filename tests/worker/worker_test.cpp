// What a worker does with its jobs, on virtual time.
#include <gmock/gmock.h>

#include "flaky_store.hpp"
#include "harness.hpp"

namespace gaur {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(Worker, RunsJobAndStoresResult) {
  World world;
  world.start();
  const JobId id = world.add();
  world.pass(milliseconds(200));
  const Job job = world.job(id);
  EXPECT_EQ(job.state, State::kCompleted);
  EXPECT_EQ(job.result, "1");
  EXPECT_EQ(job.attempts_made, 1U);
  EXPECT_EQ(job.processed_by, "w1");
  ASSERT_TRUE(job.usage);
  EXPECT_GE(job.usage->wall_us, 100'000U);
}

TEST(Worker, TakesAddedJobByLongPoll) {
  World world;
  world.start();
  world.pass(milliseconds(50));
  EXPECT_TRUE(world.status().queues.front().long_poll);
  AddRequest request{.queue = kQueue, .jobs = {{.name = "f"}}};
  EXPECT_EQ(world.value(world.store.add(request)).front().state, State::kActive);
  EXPECT_THAT(world.runs.running, SizeIs(1));
}

TEST(Worker, TakesAddedJobAfterHintWithoutLongPolls) {
  World world;
  world.worker_options.hand_off = false;
  world.start();
  world.pass(milliseconds(50));
  world.add();
  world.pass(milliseconds(1));
  EXPECT_THAT(world.runs.running, SizeIs(1));
}

/// Replies are slow: the jobs of one reply are started while the other request is in flight.
TEST(Worker, KeepsTwoTakeRequestsInFlightWithoutLongPolls) {
  World world;
  FlakyStore line(world.store, world.env, 1);
  line.latest = milliseconds(4);
  world.transitions = &line;
  world.worker_options.hand_off = false;
  world.ledger_options.slots = 16;
  world.ledger_options.takes_in_flight = 2;
  world.ledger_options.capacity = {16, 16 * kGB};
  world.runs.script = [](const RunRequest&) { return Script{.takes = milliseconds(1)}; };
  for (int i = 0; i < 200; ++i) world.add();
  world.start();
  world.pass(milliseconds(10));
  EXPECT_EQ(line.most_takes_of_queue, 2);
  world.pass(seconds(2));
  EXPECT_EQ(world.counts()[State::kCompleted], 200U);
  EXPECT_EQ(line.most_takes_of_session, 1) << "the store repeats only the last reply of a session";
  EXPECT_EQ(world.runs.most_running, 16U);
}

TEST(Worker, StartsOnlyJobsThatFit) {
  World world;
  world.start();
  for (int i = 0; i < 20; ++i) world.add();
  world.pass(seconds(1));
  EXPECT_EQ(world.runs.most_running, 4U);  // four slots
  EXPECT_EQ(world.counts()[State::kCompleted], 20U);
  const LedgerStatus ledger = world.ledger->status(world.env.clock.now());
  EXPECT_EQ(ledger.highest_threads, 4U);
  EXPECT_EQ(ledger.granted, Resources{});
}

TEST(Worker, RetriesFailedAttemptAfterBackoff) {
  World world;
  world.runs.script = [](const RunRequest& request) {
    const bool last = request.taken.job.attempts_made == 2;
    return Script{.end = last ? RunEnd(run::Completed{"\"third\""})
                              : RunEnd(run::Failed{{.code = "sql", .message = "no"}, false})};
  };
  world.start();
  const JobId id =
      world.add("f", {.attempts = 3, .backoff = {.kind = Backoff::Kind::kExponential, .delay = seconds(10)}});
  world.pass(seconds(5));
  EXPECT_EQ(world.job(id).state, State::kDelayed);
  EXPECT_EQ(world.job(id).failure->code, "sql");
  world.pass(seconds(6));  // 10 s after the first attempt: the second
  EXPECT_EQ(world.job(id).attempts_made, 2U);
  EXPECT_EQ(world.job(id).state, State::kDelayed);
  world.pass(seconds(21));
  EXPECT_EQ(world.job(id).state, State::kCompleted);
  EXPECT_EQ(world.job(id).attempts_made, 3U);
  EXPECT_EQ(world.status().counters.retried, 2U);
}

TEST(Worker, FailsJobThatExceedsQueueTimeout) {
  World world;
  world.ledger_options.functions[FunctionName("f")] = {};
  world.worker_options.functions[FunctionName("f")].queue_timeout = seconds(2);
  world.runs.script = [](const RunRequest&) { return Script{.takes = seconds(3)}; };
  world.start();
  for (int i = 0; i < 4; ++i) world.add();
  const JobId late = world.add();
  const JobId lower_still = world.add("g", {.queue_timeout = seconds(1)});
  const JobId patient = world.add("g");
  world.pass(milliseconds(3'100));
  EXPECT_EQ(world.job(late).failure->code, "queue_timeout");
  EXPECT_THAT(world.job(late).failure->message,
              HasSubstr("not run: the job waited 3 s, longer than its function's queue_timeout (2 s)"));
  EXPECT_EQ(world.job(lower_still).failure->code, "queue_timeout");
  EXPECT_EQ(world.job(patient).state, State::kActive);
  EXPECT_EQ(world.status().counters.queue_timeouts, 2U);
  EXPECT_THAT(world.runs.started, SizeIs(5));
}

TEST(Worker, CancelsRunningJob) {
  World world;
  world.runs.script = [](const RunRequest&) { return Script{.takes = seconds(60)}; };
  world.start();
  const JobId id = world.add("f", {.attempts = 5});
  world.pass(milliseconds(10));
  EXPECT_EQ(world.value(world.store.cancel({kQueue, id}, "ann", "wrong day")), CancelReply::kRequested);
  world.pass(milliseconds(20));
  EXPECT_THAT(world.runs.stops, ElementsAre(StopReason::kCancel));
  EXPECT_EQ(world.job(id).state, State::kFailed);
  EXPECT_EQ(world.job(id).failure->code, "cancelled");
  EXPECT_EQ(world.job(id).failure->message, "cancelled by ann: wrong day");
}

TEST(Worker, KeepsJobCancelledWhenItsRunCompletes) {
  World world;
  const JobId id = world.start_one({.takes = seconds(1), .ends_after_stop = Duration(-1)}, milliseconds(10));
  world.value(world.store.cancel({kQueue, id}, "ann", ""));
  world.pass(seconds(2));
  EXPECT_EQ(world.job(id).failure->code, "cancelled");
}

TEST(Worker, RenewsLocksAtHalfTheirTimeToLive) {
  World world;
  const JobId id = world.start_one({.takes = seconds(200)}, seconds(150));
  EXPECT_EQ(world.job(id).attempts_started, 1U);
  EXPECT_EQ(world.job(id).stalled, 0U);
  world.pass(seconds(51));
  EXPECT_EQ(world.job(id).state, State::kCompleted);
}

TEST(Worker, StopsRunAfterLostLockAndDropsItsResult) {
  World world;
  const JobId id = world.start_one({.takes = seconds(100), .ends_after_stop = Duration(-1)}, seconds(1));
  const LockToken old = world.runs.running.begin()->first;
  world.store.crash_and_reopen();  // its locks are lost, the job waits again
  world.pass(seconds(16));         // past the next renewal
  EXPECT_THAT(world.runs.stops, ElementsAre(StopReason::kLockLost));
  EXPECT_EQ(world.status().counters.locks_lost, 1U);
  ASSERT_THAT(world.runs.running, SizeIs(2));  // the old run ignores its stop
  world.runs.finish(old, run::Completed{"\"old\""});
  world.pass(seconds(1));
  EXPECT_EQ(world.status().counters.stale_finishes, 1U);
  EXPECT_THAT(world.logs(id), Contains(HasSubstr("is dropped: its lock was lost")));
  EXPECT_EQ(std::ranges::count_if(
                world.log_lines,
                [](const std::string& line) { return line.find("its lock was lost") != std::string::npos; }),
            1)
      << "one line in the log";
  world.pass(seconds(100));
  EXPECT_EQ(world.job(id).state, State::kCompleted);
  EXPECT_EQ(world.job(id).result, "1");
}

TEST(Worker, DropsResultWhenFinishIsStale) {
  World world;
  world.runs.script = [](const RunRequest& request) {
    return Script{.takes = request.taken.job.attempts_started == 1 ? seconds(5) : seconds(50)};
  };
  world.start();
  const JobId id = world.add();
  world.pass(seconds(1));
  world.store.crash_and_reopen();
  world.pass(seconds(5));  // the first run ends before a renewal notices the lost lock
  EXPECT_EQ(world.status().counters.stale_finishes, 1U);
  EXPECT_THAT(world.logs(id), Contains(HasSubstr("is dropped")));
  EXPECT_EQ(world.job(id).state, State::kActive);
}

TEST(Worker, FailsJobAfterSecondCrash) {
  World world;
  world.runs.script = [](const RunRequest&) {
    return Script{.end = run::Crashed{11, 0, "the runner died of SIGSEGV"}};
  };
  world.start();
  const JobId id = world.add("f", {.attempts = 5});
  world.pass(seconds(2));
  const Job job = world.job(id);
  EXPECT_EQ(job.state, State::kFailed);
  EXPECT_EQ(job.failure->code, "crashed");
  EXPECT_EQ(job.failure->message, "the runner died of SIGSEGV");
  EXPECT_THAT(world.runs.started, SizeIs(2));
  EXPECT_EQ(world.status().counters.failed, 1U);
}

TEST(Worker, FailsJobAfterFirstCrashWithoutRerunOnCrash) {
  World world;
  world.worker_options.functions[FunctionName("f")].rerun_on_crash = false;
  world.runs.script = [](const RunRequest&) { return Script{.end = run::Crashed{9, 0, ""}}; };
  world.start();
  const JobId id = world.add();
  world.pass(seconds(2));
  EXPECT_EQ(world.job(id).failure->message, "the runner died of signal 9");
  EXPECT_THAT(world.runs.started, SizeIs(1));
}

TEST(Worker, DoesNotCountInterruptedRuns) {
  World world;
  world.runs.script = [](const RunRequest& request) {
    return Script{.end = request.taken.job.attempts_started == 1
                             ? RunEnd(run::Interrupted{"its runner was recycled"})
                             : RunEnd(run::Completed{})};
  };
  world.start();
  const JobId id = world.add();
  world.pass(seconds(1));
  EXPECT_EQ(world.job(id).state, State::kCompleted);
  EXPECT_EQ(world.job(id).attempts_made, 1U);
  EXPECT_EQ(world.job(id).stalled, 0U);
  EXPECT_EQ(world.status().counters.requeued, 1U);
}

TEST(Worker, TakesLowerTimeoutOfFunctionAndJob) {
  World world;
  world.worker_options.functions[FunctionName("f")].timeout = seconds(60);
  world.start();
  world.add("f", {.timeout = seconds(10)});
  world.add("f", {.timeout = seconds(100)});
  world.add("g");
  world.pass(milliseconds(10));
  ASSERT_THAT(world.runs.started, SizeIs(3));
  EXPECT_EQ(world.runs.started[0].request.timeout, seconds(10));
  EXPECT_EQ(world.runs.started[1].request.timeout, seconds(60));
  EXPECT_EQ(world.runs.started[2].request.timeout, std::nullopt);
}

TEST(Worker, StoresNewestProgressTwentyTimesASecond) {
  World world;
  int stored = 0;
  const JobId id = world.start_one({.takes = seconds(1)}, milliseconds(10));
  ASSERT_THAT(world.runs.running, SizeIs(1));
  const auto [token, seen] = *world.runs.running.begin();
  std::string before;
  for (int i = 1; i <= 900; ++i) {
    seen.observer->on_progress(token, std::to_string(i));
    world.pass(milliseconds(1));
    if (const std::string now = world.job(id).progress; now != before) {
      ++stored;
      before = now;
    }
  }
  EXPECT_GE(stored, 17);
  EXPECT_LE(stored, 20);
  world.pass(milliseconds(200));
  EXPECT_EQ(world.job(id).progress, "900");
}

TEST(Worker, StoresLogLinesInOrderWithinTheirLimit) {
  World world;
  world.worker_options.log_lines_waiting = 50;
  world.runs.script = [](const RunRequest&) {
    return Script{.at_start = [](RunObserver& observer, const LockToken& token) {
      for (int i = 0; i < 60; ++i) observer.on_log(token, "line " + std::to_string(i));
    }};
  };
  world.start();
  const JobId id = world.add();
  world.pass(seconds(1));
  const auto lines = world.logs(id);
  ASSERT_THAT(lines, SizeIs(51));
  EXPECT_EQ(lines[0], "line 0");
  EXPECT_EQ(lines[49], "line 49");
  EXPECT_EQ(lines[50], "... 10 lines were dropped: too many at once");
}

TEST(Worker, StartsDelayedJobsWhenDue) {
  World world;
  world.start();
  const JobId id = world.add("f", {.delay = milliseconds(4'300)});
  world.pass(milliseconds(4'250));
  EXPECT_EQ(world.job(id).state, State::kDelayed);
  world.pass(milliseconds(60));
  EXPECT_EQ(world.job(id).state, State::kActive);
}

TEST(Worker, StartsRetryWhenBackoffEnds) {
  World world;
  world.runs.script = [](const RunRequest&) {
    return Script{.takes = milliseconds(10), .end = run::Failed{{.message = "no"}, false}};
  };
  world.start();
  world.add("f", {.attempts = 2, .backoff = {.delay = milliseconds(330)}});
  world.pass(milliseconds(15));
  ASSERT_THAT(world.runs.started, SizeIs(1));
  world.pass(milliseconds(340));
  EXPECT_THAT(world.runs.started, SizeIs(2)) << "not only at the next recovery";
}

TEST(Worker, RecoversStalledJobsOfLostHost) {
  World world;
  TakeRequest take{
      .queue = kQueue, .op = {SessionName("other"), 1}, .take = 1, .lock = seconds(5), .worker = "other"};
  AddRequest request{.queue = kQueue, .jobs = {{.name = "f"}}};
  const JobId id = world.value(world.store.add(request)).front().id;
  ASSERT_THAT(world.value(world.store.finish_and_take(take)).taken, SizeIs(1));
  world.start();
  world.pass(seconds(4));
  EXPECT_EQ(world.job(id).processed_by, "other");
  world.pass(seconds(3));
  EXPECT_EQ(world.job(id).state, State::kCompleted);
  EXPECT_EQ(world.job(id).processed_by, "w1");
  EXPECT_EQ(world.job(id).stalled, 1U);
}

TEST(Worker, StartsNothingFromPausedQueue) {
  World world;
  world.start();
  world.value(world.store.pause(kQueue));
  world.add();
  world.pass(seconds(2));
  EXPECT_THAT(world.runs.started, IsEmpty());
  world.value(world.store.resume(kQueue));
  world.pass(seconds(6));
  EXPECT_THAT(world.runs.started, SizeIs(1));
}

TEST(Worker, StartsNextRunOfFunctionAtMaxRunning) {
  World world;
  world.ledger_options.functions[FunctionName("f")].max_running = 1;
  world.ledger_options.functions[FunctionName("g")] = {};
  world.start();
  std::vector<JobId> jobs;
  for (int i = 0; i < 3; ++i) jobs.push_back(world.add("f"));
  world.pass(milliseconds(50));
  EXPECT_THAT(world.runs.running, SizeIs(1));
  EXPECT_EQ(wait_reason(world.await(world.worker->explain({.queue = kQueue, .function = FunctionName("f")}))),
            "1 of at most 1 of f are running");
  world.pass(milliseconds(300));
  EXPECT_EQ(world.counts()[State::kCompleted], 3U);
  EXPECT_EQ(world.runs.most_running, 1U);
}

TEST(Worker, ServesQueuesByWeight) {
  World world;
  const QueueName heavy{"heavy"};
  world.ledger_options.queues = {{.name = kQueue, .take_unknown = true},
                                 {.name = heavy, .weight = 3, .take_unknown = true}};
  world.worker_options.queues = {kQueue, heavy};
  world.start();
  for (int i = 0; i < 80; ++i) world.add("a");
  for (int i = 0; i < 80; ++i) world.add("b", {}, heavy);
  world.runs.started.clear();
  world.pass(seconds(1));
  const auto of_heavy =
      std::count_if(world.runs.started.begin(), world.runs.started.end(),
                    [&](const auto& seen) { return seen.request.taken.job.queue == heavy; });
  const auto all = static_cast<std::ptrdiff_t>(world.runs.started.size());
  EXPECT_GT(of_heavy * 4, all * 3 - 12);
  EXPECT_LT(of_heavy * 4, all * 3 + 12);
  EXPECT_GE(all, 36);
}

}  // namespace
}  // namespace gaur
