// Limits of everything that grows with the number of calls, workers or tasks; and locks after an aborted
// transaction.
#include <latch>

#include "base/system_env.hpp"
#include "embedded/embedded_store.hpp"
#include "embedded/readers.hpp"
#include "engine_fixture.hpp"

namespace gaur::test {

TEST_F(EngineTest, AbortRevertsRenewal) {
  add_one();
  const Taken taken = take(1).taken[0];
  ASSERT_TRUE(engine->begin(now()).has_value());
  ExtendRequest renewal;
  renewal.queue = q;
  renewal.held = {{taken.job.id, taken.token}};
  renewal.lock = 10min;
  renewal.worker = "host";
  ASSERT_TRUE(engine->extend_locks(renewal).locks.front());
  engine->abort();
  clock.advance(1min);  // past the 30 s that were committed
  EXPECT_EQ(finish(taken, outcome::Completed{}).error().code, Errc::kLockMissing);
}

TEST_F(EngineTest, AbortRevertsCancelRequest) {
  add_one();
  const Taken taken = take(1).taken[0];
  ASSERT_TRUE(engine->begin(now()).has_value());
  ASSERT_TRUE(engine->cancel({q, taken.job.id}, "me", "no more"));
  engine->abort();
  EXPECT_TRUE(take(0).cancels.empty()) << "the cancel was rolled back";
  const auto again = step([&](Engine& e) { return e.cancel({q, taken.job.id}, "me", "again"); });
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, CancelReply::kRequested);
  EXPECT_EQ(take(0).cancels.size(), 1U);
}

TEST_F(EngineTest, AbortRevertsReportToWaiter) {
  add_one();
  const Taken taken = take(1).taken[0];
  ASSERT_TRUE(step([&](Engine& e) { return e.cancel({q, taken.job.id}, "me", ""); }));
  const WorkRequest request{"host", {q}, 1s};
  ASSERT_TRUE(engine->begin(now()).has_value());
  ASSERT_TRUE(engine->work_for(request));
  engine->abort();
  const auto reported = step([&](Engine& e) { return e.work_for(request); });
  ASSERT_TRUE(reported) << "the rolled-back report was not delivered";
  EXPECT_EQ(reported->cancels.size(), 1U);
  EXPECT_FALSE(step([&](Engine& e) { return e.work_for(request); }));
}

TEST_F(EngineTest, AbortRestoresReleasedLock) {
  add_one();
  const Taken taken = take(1).taken[0];
  ASSERT_TRUE(step([&](Engine& e) { return e.cancel({q, taken.job.id}, "me", ""); }));
  ASSERT_TRUE(engine->begin(now()).has_value());
  ASSERT_TRUE(
      engine->finish_and_take(take_request(1, {{taken.job.id, taken.token, outcome::Requeue{}, {}, {}}}))
          .has_value());
  engine->abort();
  EXPECT_EQ(take(0).cancels.size(), 1U);
  EXPECT_TRUE(finish(taken, outcome::Completed{}).has_value());
  EXPECT_TRUE(take(0).cancels.empty());
}

TEST_F(EngineTest, LimitsRememberedHints) {
  add_one();
  ASSERT_TRUE(engine->begin(now()).has_value());
  for (int i = 0; i < 100'000; ++i) (void)engine->work_for({"worker-" + std::to_string(i), {q}, 1s});
  EXPECT_LE(engine->remembered_hints(), 10'000U);
  EXPECT_GT(engine->remembered_hints(), 0U);
  ASSERT_TRUE(engine->commit());
}

TEST_F(EngineTest, LimitsQueuedReads) {
  std::latch resume(1);
  std::atomic<int> done = 0, rejected = 0;
  {
    embedded::Readers readers(*env, 2);
    for (int i = 0; i < 100'000; ++i) {
      readers.post([&](Result<Snapshot*> snapshot) {
        if (snapshot) {
          resume.wait();
          ++done;
        } else {
          EXPECT_EQ(snapshot.error().code, Errc::kQueueFull);
          ++rejected;
        }
      });
    }
    EXPECT_GE(rejected, 100'000 - 2 - static_cast<int>(embedded::Readers::kMaxQueued));
    resume.count_down();
  }
  EXPECT_EQ(done + rejected, 100'000);
}

TEST(PendingAdds, AreLimitedByBytes) {
  TempFolder folder;
  SystemClock clock;
  ThreadLoop loop("test-loop");
  EmbeddedOptions options;
  options.folder = folder.path();
  options.reserve_bytes = 1 << 20;
  options.map_bytes = 1ULL << 32;
  options.pending_add_bytes = 100'000;
  auto store = must(open_embedded(options, clock, loop));
  const QueueName q("query");
  const std::string data = "\"" + std::string(30'000, 'x') + "\"";
  std::vector<Async<std::vector<Added>>> answers;
  for (int i = 0; i < 2'000; ++i) answers.push_back(store->add({q, {{"a", data, {}}}, {}, 0}));
  std::uint64_t added = 0, rejected = 0;
  for (auto& answer : answers) {
    const auto one = std::move(answer).get();
    const Errc code = one ? Errc::kQueueFull : one.error().code;
    EXPECT_EQ(code, Errc::kQueueFull);
    ++(one ? added : rejected);
  }
  EXPECT_GT(rejected, 0U) << "2000 adds of 30 kB exceed the limit of 100 kB";
  EXPECT_GT(added, 0U);
  EXPECT_EQ(must(store->counts(q).get())[State::kWaiting], added);
  EXPECT_TRUE(store->add({q, {{"a", data, {}}}, {}, 0}).get()) << "the adds were written";
}

TEST_F(EngineTest, TruncatesTextsBetweenCharacters) {
  const JobId id = add_one({.keep_logs = 10});
  std::string line = "x";
  while (line.size() < 20'000) line += "\U0001F600";
  ASSERT_TRUE(step([&](Engine& e) { return e.append_logs({q, id}, {line}); }));
  const Taken taken = take(1).taken[0];
  std::string message = "x";
  while (message.size() < 70'000) message += "\U0001F600";
  Failure failure;
  failure.message = failure.stack = message;
  ASSERT_TRUE(finish(taken, outcome::Failed{failure}));
  const Job job = get(id);
  EXPECT_EQ(job.failure->message.size(), 65'533U);
  EXPECT_TRUE(message.starts_with(job.failure->message));
  const auto logs = look([&](Snapshot& s) { return s.logs({q, id}, 0, 1); });
  EXPECT_EQ(logs->lines.front().size(), 16'381U);
}

}  // namespace gaur::test
