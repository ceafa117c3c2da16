// Quiet and stop of a worker, on virtual time.
#include <gmock/gmock.h>

#include "harness.hpp"

namespace gaur {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

TEST(WorkerStop, TakesNoJobsWhenQuiet) {
  World world;
  world.start();
  const JobId first = world.add();
  world.pass(milliseconds(10));
  world.worker->quiet();
  world.env.loop.run_ready();
  const JobId second = world.add();
  world.pass(seconds(3));
  EXPECT_EQ(world.job(first).state, State::kCompleted);
  EXPECT_EQ(world.job(second).state, State::kWaiting);
  EXPECT_EQ(wait_reason(world.await(world.worker->explain({.queue = kQueue, .function = FunctionName("f")}))),
            "this host is quiet and takes no jobs");
}

TEST(WorkerStop, WaitsForRuns) {
  World world;
  const JobId id = world.start_one({.takes = seconds(3)}, milliseconds(10));
  const StopReport report = world.await(world.worker->stop(seconds(10)));
  EXPECT_EQ(world.job(id).state, State::kCompleted);
  EXPECT_EQ(report.requeued, 0U);
  EXPECT_EQ(report.unsent, 0U);
}

TEST(WorkerStop, RequeuesJobsOfInterruptedRunsUncounted) {
  World world;
  const JobId id = world.start_one({.takes = seconds(300)}, milliseconds(10));
  const Instant begin = world.env.clock.now();
  const StopReport report = world.await(world.worker->stop(seconds(10)));
  EXPECT_LT(world.env.clock.now() - begin, seconds(11));
  EXPECT_EQ(report.requeued, 1U);
  EXPECT_EQ(world.job(id).state, State::kWaiting);
  EXPECT_EQ(world.job(id).attempts_made, 0U);
  EXPECT_EQ(world.job(id).stalled, 0U);
  EXPECT_THAT(world.logs(id),
              Contains(HasSubstr("the host w1 stops: this run was interrupted after 10 s and the "
                                 "job is requeued; not counted as an attempt")));
}

TEST(WorkerStop, EndsWaitOnSecondStop) {
  World world;
  const JobId id = world.start_one({.takes = seconds(300)}, milliseconds(10));
  auto first = world.worker->stop(seconds(100));
  world.pass(seconds(1));
  EXPECT_FALSE(first.ready());
  const Instant begin = world.env.clock.now();
  world.await(world.worker->stop(seconds(100)));
  EXPECT_LT(world.env.clock.now() - begin, milliseconds(100));
  EXPECT_TRUE(first.ready());
  EXPECT_EQ(world.job(id).state, State::kWaiting);
}

TEST(WorkerStop, RequeuesJobOfRunThatIgnoresStop) {
  World world;
  const JobId id =
      world.start_one({.takes = seconds(300), .ends_after_stop = Duration(-1)}, milliseconds(10));
  const StopReport report = world.await(world.worker->stop(Duration(0)));
  EXPECT_EQ(report.abandoned, 1U);
  EXPECT_EQ(world.job(id).state, State::kWaiting);
}

TEST(WorkerStop, KeepsResultDuringStop) {
  World world;
  const JobId id = world.start_one({.takes = seconds(2), .ends_after_stop = Duration(-1)}, milliseconds(10));
  const StopReport report = world.await(world.worker->stop(seconds(1)));
  EXPECT_EQ(world.job(id).state, State::kCompleted);
  EXPECT_EQ(report.requeued, 0U);
}

TEST(WorkerStop, EndsAtOnceBeforeStart) {
  World world;
  world.ledger = std::make_unique<Ledger>(world.ledger_options);
  Worker worker(world.env.env, world.store, *world.ledger, world.runs, world.worker_options);
  world.await(worker.stop(seconds(10)));
}

}  // namespace
}  // namespace gaur
