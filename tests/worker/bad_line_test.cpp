// Lost requests and replies, outages, rejections: each job takes effect once, and none is lost.
#include <gmock/gmock.h>

#include "flaky_store.hpp"
#include "harness.hpp"

namespace gaur {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

/// A worker whose store sometimes does not answer.
struct FlakyWorld : World {
  FlakyWorld() { transitions = &line; }
  /// Starts the worker with runs of `length` and `jobs` jobs, and ends the connection while they run.
  void start_and_disconnect(int jobs, Duration length) {
    runs.script = [length](const RunRequest&) { return Script{.takes = length}; };
    start();
    for (int i = 0; i < jobs; ++i) add();
    pass(milliseconds(100));
    line.down = true;
  }
  FlakyStore line{store, env, 1};
};

class LossyNetwork : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(LossyNetwork, RunsEachJobOnce) {
  World world(GetParam());
  FlakyStore line(world.store, world.env, GetParam());
  line.lost_requests = 15;
  line.lost_replies = 15;
  line.latest = milliseconds(20);
  world.transitions = &line;
  world.worker_options.hand_off = false;  // such a store has no long polls
  world.runs.script = [](const RunRequest& request) {
    return Script{.takes = Duration(20 + 13 * (request.taken.job.id.value.size() % 5))};
  };
  world.start();
  for (int i = 0; i < 300; ++i) world.add();
  world.pass(seconds(60));
  const Counts counts = world.counts();
  EXPECT_EQ(counts[State::kCompleted], 300U);
  EXPECT_THAT(world.runs.started, SizeIs(300));
  const WorkerCounters counters = world.status().counters;
  EXPECT_EQ(counters.completed, 300U);
  EXPECT_EQ(counters.stale_finishes, 0U);
  EXPECT_GT(counters.repeats, 10U);
  EXPECT_EQ(world.ledger->status(world.env.clock.now()).granted, Resources{});
}
INSTANTIATE_TEST_SUITE_P(Seeds, LossyNetwork, ::testing::Range<std::uint64_t>(1, 9));

TEST(Outage, KeepsRunsAndFinishes) {
  FlakyWorld world;
  world.start_and_disconnect(4, seconds(3));
  world.pass(seconds(10));
  EXPECT_TRUE(world.status().queues.front().disconnected);
  EXPECT_EQ(world.status().queues.front().unsent_finishes, 4U);
  world.line.down = false;
  world.pass(seconds(3));
  EXPECT_EQ(world.counts()[State::kCompleted], 4U);
  EXPECT_THAT(world.runs.started, SizeIs(4));
}

TEST(Outage, LongerThanTheLocksMovesJobsToAnotherWorker) {
  FlakyWorld world;
  world.runs.script = [](const RunRequest&) { return Script{.takes = seconds(50)}; };
  world.start();
  std::vector<JobId> jobs;
  for (int i = 0; i < 4; ++i) jobs.push_back(world.add());
  world.pass(milliseconds(100));
  Ledger second_ledger(world.ledger_options);
  ScriptedRuns second_runs(world.env);
  Worker second(world.env.env, world.store, second_ledger, second_runs, plain_worker("w2"));
  second.start();
  world.line.down = true;
  world.pass(seconds(45));  // locks expire after 30 s; then the second worker recovers and runs the jobs
  EXPECT_EQ(world.counts()[State::kCompleted], 4U);
  world.line.down = false;
  world.pass(seconds(20));
  EXPECT_EQ(world.status().counters.stale_finishes, 4U);
  for (const JobId& id : jobs) {
    EXPECT_EQ(world.job(id).processed_by, "w2");
    EXPECT_EQ(world.job(id).attempts_made, 1U);
    EXPECT_EQ(world.job(id).stalled, 1U);
  }
}

TEST(Outage, StopReportsUnsentFinishes) {
  FlakyWorld world;
  world.start_and_disconnect(3, seconds(100));
  const StopReport report = world.await(world.worker->stop(seconds(2)));
  EXPECT_EQ(report.requeued, 3U);
  EXPECT_EQ(report.unsent, 3U);
}

TEST(Rejection, OfOneFinishDoesNotAffectOthers) {
  FlakyWorld world;
  world.line.reject = [](const TakeRequest& request) -> std::optional<Error> {
    for (const Finish& finish : request.finished) {
      const auto* done = std::get_if<outcome::Completed>(&finish.outcome);
      if (done != nullptr && done->result == "\"bad\"")
        return Error{Errc::kInvalidArgument, "no such result"};
    }
    return std::nullopt;
  };
  world.runs.script = [](const RunRequest& request) {
    return Script{.end = run::Completed{request.taken.function.value == "bad" ? "\"bad\"" : "1"}};
  };
  world.start();
  std::vector<JobId> good;
  for (int i = 0; i < 3; ++i) good.push_back(world.add());
  const JobId bad = world.add("bad");
  world.pass(seconds(2));
  for (const JobId& id : good) EXPECT_EQ(world.job(id).state, State::kCompleted);
  EXPECT_EQ(world.job(bad).state, State::kFailed);
  EXPECT_EQ(world.job(bad).failure->message, "the store rejected the outcome: no such result");
  EXPECT_THAT(world.runs.started, SizeIs(4));
}

/// Two take requests are in flight, so their rejections alternate.
TEST(Rejection, OfEveryOutcomeEndsTheRuns) {
  FlakyWorld world;
  world.worker_options.hand_off = false;
  std::uint64_t rejections = 0;
  world.line.reject = [&](const TakeRequest& request) -> std::optional<Error> {
    if (request.finished.empty()) return std::nullopt;
    ++rejections;
    return Error{Errc::kInvalidArgument, "no"};
  };
  world.start();
  world.add();
  world.add();
  world.pass(seconds(10));
  EXPECT_THAT(world.status().running, SizeIs(0));
  EXPECT_EQ(world.status().counters.stale_finishes, 2U);
  EXPECT_LE(rejections, 6U);
}

TEST(Restart, WithEarlierClockUsesNewSession) {
  World world;
  world.start();
  world.add();
  world.pass(seconds(1));
  world.await(world.worker->stop(seconds(1)));
  world.env.clock.jump_wall(-seconds(3600));
  Ledger ledger(world.ledger_options);
  Worker again(world.env.env, world.store, ledger, world.runs, world.worker_options);
  again.start();
  world.add();
  world.pass(seconds(3));
  EXPECT_EQ(world.counts()[State::kCompleted], 2U);
}

TEST(Restart, AfterKillRecoversJobsWhenLocksExpire) {
  World world;
  world.runs.script = [](const RunRequest&) { return Script{.takes = seconds(10)}; };
  world.start();
  for (int i = 0; i < 4; ++i) world.add();
  world.pass(milliseconds(100));
  world.worker.reset();  // killed
  world.runs.running.clear();
  Ledger ledger(world.ledger_options);
  Worker again(world.env.env, world.store, ledger, world.runs, world.worker_options);
  again.start();
  world.pass(seconds(45));
  EXPECT_EQ(world.counts()[State::kCompleted], 4U);
}

}  // namespace
}  // namespace gaur
