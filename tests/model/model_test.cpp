// A first look at the reference model; the conformance suite does the rest.
#include <gtest/gtest.h>

#include "base/manual_env.hpp"
#include "model/model_store.hpp"

namespace gaur {
namespace {

struct ModelTest : testing::Test {
  ManualEnv env;
  ModelStore store{env.clock, env.loop};
  const QueueName queue{"query"};

  template <class T>
  Result<T> now(Async<T> future) {
    env.loop.run_ready();
    EXPECT_TRUE(future.ready());
    return std::move(future).get();
  }
  TakeRequest turn(std::uint64_t number, std::uint32_t take) {
    return {.queue = queue, .op = {SessionName("w"), number}, .take = take, .worker = "w"};
  }
};

TEST_F(ModelTest, AJobGoesThroughItsLife) {
  const auto added = now(store.add({.queue = queue, .jobs = {{.name = "top", .data = "{}"}}}));
  ASSERT_TRUE(added);
  const auto taken = now(store.finish_and_take(turn(1, 5)));
  ASSERT_EQ(taken->taken.size(), 1U);
  EXPECT_EQ(taken->taken[0].token, LockToken("w:1:0"));
  TakeRequest done = turn(2, 5);
  done.finished.push_back(
      {.id = added->front().id, .token = LockToken("w:1:0"), .outcome = outcome::Completed{"42"}});
  const auto moved = now(store.finish_and_take(done));
  ASSERT_TRUE(moved->finished.at(0));
  EXPECT_EQ(now(store.get({queue, added->front().id}))->result, "42");
}

TEST_F(ModelTest, AnAddIsHandedToAParkedTurn) {
  TakeRequest parked = turn(1, 5);
  parked.long_poll = Duration(1000);
  auto reply = store.finish_and_take(parked);
  env.loop.run_ready();
  EXPECT_FALSE(reply.ready());
  const auto added = now(store.add({.queue = queue, .jobs = {{.name = "a"}, {.name = "b"}}}));
  EXPECT_EQ(added->at(0).state, State::kActive);
  EXPECT_EQ(added->at(1).state, State::kActive);
  EXPECT_EQ(now(std::move(reply))->taken.size(), 2U);
}

TEST_F(ModelTest, AParkedTurnEndsAtItsTime) {
  TakeRequest parked = turn(1, 5);
  parked.long_poll = Duration(1000);
  auto reply = store.finish_and_take(parked);
  env.loop.run_for(Duration(999));
  EXPECT_FALSE(reply.ready());
  env.loop.run_for(Duration(1));
  EXPECT_TRUE(now(std::move(reply))->taken.empty());
}

TEST_F(ModelTest, AWorkerThatWaitsHearsOfAnAdd) {
  auto reply = store.wait_for_work({.worker = "w", .queues = {queue}, .at_most = Duration(5000)});
  env.loop.run_ready();
  EXPECT_FALSE(reply.ready());
  (void)now(store.add({.queue = queue, .jobs = {{.name = "a"}}}));
  EXPECT_EQ(now(std::move(reply))->queues, std::vector{queue});
}

}  // namespace
}  // namespace gaur
