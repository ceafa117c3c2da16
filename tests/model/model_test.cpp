// Basic tests of the reference model. The conformance suite tests the rest.
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
  TakeRequest take_request(std::uint64_t number, std::uint32_t take) {
    return {.queue = queue, .op = {SessionName("w"), number}, .take = take, .worker = "w"};
  }
};

TEST_F(ModelTest, AddsTakesAndFinishesJob) {
  const auto added = now(store.add({.queue = queue, .jobs = {{.name = "top", .data = "{}"}}}));
  ASSERT_TRUE(added);
  const auto taken = now(store.finish_and_take(take_request(1, 5)));
  ASSERT_EQ(taken->taken.size(), 1U);
  EXPECT_EQ(taken->taken[0].token, LockToken("w:1:0"));
  TakeRequest done = take_request(2, 5);
  done.finished.push_back(
      {.id = added->front().id, .token = LockToken("w:1:0"), .outcome = outcome::Completed{"42"}});
  const auto result = now(store.finish_and_take(done));
  ASSERT_TRUE(result->finished.at(0));
  EXPECT_EQ(now(store.get({queue, added->front().id}))->result, "42");
}

TEST_F(ModelTest, AddIsHandedOffToLongPoll) {
  TakeRequest long_poll = take_request(1, 5);
  long_poll.long_poll = Duration(1000);
  auto reply = store.finish_and_take(long_poll);
  env.loop.run_ready();
  EXPECT_FALSE(reply.ready());
  const auto added = now(store.add({.queue = queue, .jobs = {{.name = "a"}, {.name = "b"}}}));
  EXPECT_EQ(added->at(0).state, State::kActive);
  EXPECT_EQ(added->at(1).state, State::kActive);
  EXPECT_EQ(now(std::move(reply))->taken.size(), 2U);
}

TEST_F(ModelTest, LongPollEndsAtItsTimeout) {
  TakeRequest long_poll = take_request(1, 5);
  long_poll.long_poll = Duration(1000);
  auto reply = store.finish_and_take(long_poll);
  env.loop.run_for(Duration(999));
  EXPECT_FALSE(reply.ready());
  env.loop.run_for(Duration(1));
  EXPECT_TRUE(now(std::move(reply))->taken.empty());
}

TEST_F(ModelTest, AddEndsWaitForWork) {
  auto reply = store.wait_for_work({.worker = "w", .queues = {queue}, .at_most = Duration(5000)});
  env.loop.run_ready();
  EXPECT_FALSE(reply.ready());
  (void)now(store.add({.queue = queue, .jobs = {{.name = "a"}}}));
  EXPECT_EQ(now(std::move(reply))->queues, std::vector{queue});
}

}  // namespace
}  // namespace gaur
