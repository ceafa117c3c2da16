// Queues that the host refuses, or that cannot be used: other queues are served, and finishes are kept.
#include <gmock/gmock.h>

#include "scripted_store.hpp"

namespace gaur {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

const QueueName kOther{"mail"};

struct TwoQueues : BesideWorld {
  TwoQueues() {
    worker_options.queues = {kQueue, kOther};
    ledger_options.queues.push_back({.name = kOther, .take_unknown = true});
  }
};

TEST(RefusedQueue, LeavesQueueAloneUntilAccepted) {
  TwoQueues world;
  world.runs.script = [](const RunRequest&) { return Script{.takes = seconds(1)}; };
  const JobId running = world.add();
  world.start();
  world.pass(milliseconds(100));
  world.worker->refuse(kQueue, "it is mixed");
  world.pass(milliseconds(100));
  world.scripted.recovers.clear();
  const JobId left = world.add();
  const JobId other = world.add("f", {}, kOther);
  world.pass(seconds(20));
  EXPECT_EQ(world.job(running).state, State::kCompleted) << "active runs continue";
  EXPECT_EQ(world.job(left).state, State::kWaiting);
  EXPECT_EQ(world.value(world.store.get({kOther, other})).state, State::kCompleted);
  for (const RecoverRequest& request : world.scripted.recovers) EXPECT_EQ(request.queue, kOther);
  EXPECT_EQ(world.await(world.worker->explain({.queue = kQueue})).refused, "it is mixed");
  EXPECT_EQ(world.status().queues.front().refused, "it is mixed");
  world.worker->accept(kQueue);
  world.pass(milliseconds(50));
  EXPECT_EQ(world.job(left).state, State::kActive);
  EXPECT_EQ(world.status().queues.front().refused, "");
}

TEST(FullStore, IsAskedAgainUntilThereIsSpace) {
  BesideWorld world;
  world.scripted.store_full = true;
  const JobId job = world.add();
  world.start();
  world.pass(seconds(10));
  EXPECT_EQ(world.job(job).state, State::kWaiting);
  EXPECT_TRUE(world.await(world.worker->explain({.queue = kQueue})).store_full);
  EXPECT_GE(world.scripted.takes, 8U);
  EXPECT_LE(world.scripted.takes, 25U) << "about one request a second";
  world.scripted.store_full = false;
  world.pass(seconds(2));
  EXPECT_EQ(world.job(job).state, State::kCompleted);
  EXPECT_EQ(world.job(job).attempts_started, 1U);
  EXPECT_FALSE(world.await(world.worker->explain({.queue = kQueue})).store_full);
}

TEST(RefusedQueue, IsNotReclaimedBeforeAccepted) {
  TwoQueues world;
  world.scripted.hold_reclaims = true;
  world.start();
  world.pass(milliseconds(10));
  ASSERT_THAT(world.scripted.reclaims, SizeIs(2));
  TwoQueues refused;
  refused.refused_at_start = {kQueue};
  refused.add();
  refused.start();
  refused.pass(seconds(10));
  ASSERT_THAT(refused.scripted.reclaims, SizeIs(1));
  EXPECT_EQ(refused.scripted.reclaims.front().queue, kOther);
  EXPECT_THAT(refused.runs.started, IsEmpty());
  refused.worker->accept(kQueue);
  refused.pass(milliseconds(50));
  EXPECT_THAT(refused.scripted.reclaims, SizeIs(2));
  EXPECT_THAT(refused.runs.started, SizeIs(1));
}

void expect_no_resources_held(const Error& error) {
  TwoQueues world;
  world.ledger_options.slots = 1;
  world.runs.script = [](const RunRequest&) { return Script{.takes = seconds(1)}; };
  const JobId first = world.add();
  world.start();
  world.pass(milliseconds(100));
  world.scripted.take_error = {kQueue, error};
  const JobId other = world.add("f", {}, kOther);
  world.pass(seconds(5));
  EXPECT_EQ(world.value(world.store.get({kOther, other})).state, State::kCompleted);
  EXPECT_EQ(world.status().queues.front().refused, error.message);
  world.scripted.take_error.reset();
  world.pass(seconds(2));
  EXPECT_EQ(world.job(first).state, State::kCompleted) << "its finish was kept";
  EXPECT_EQ(world.job(first).attempts_started, 1U);
  EXPECT_EQ(world.status().queues.front().refused, "");
}

TEST(RefusedQueue, KeepsFinishesOfQueueWithDamagedKeys) {
  expect_no_resources_held({Errc::kCorrupt, "redis: WRONGTYPE"});
}

TEST(RefusedQueue, KeepsFinishesOfQueueWithoutPermission) {
  expect_no_resources_held({Errc::kPermission, "redis: NOPERM"});
}

}  // namespace
}  // namespace gaur
