// What the Inspector finds, and that it writes nothing.
#include "bull/inspect.hpp"
#include "layout_fixture.hpp"

namespace gaur::bull {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class InspectorTest : public Layout {
 protected:
  void SetUp() override {
    Layout::SetUp();
    inspector_ = std::make_unique<Inspector>(*client_, "bull");
  }
  std::string everything() const { return text({"DEBUG", "DIGEST"}); }
  std::unique_ptr<Inspector> inspector_;
};

TEST_F(InspectorTest, FindsUnlockedAndOverdueJobs) {
  waiting("1");
  waiting("2");
  (void)redis({"SET", key("id"), "9"});
  active("3", "");
  (void)redis({"HSET", key("3"), "processedOn", "1700000000000"});
  active("4", "0f0e5e0c-5a0e-4a4c-9a6b-3a7b8d0f1c2d");
  job("5", "d");
  (void)redis({"ZADD", key("delayed"), std::to_string(1'700'000'000'000 * 4096), "5"});
  ended("6", "completed", 1000);
  ended("7", "completed", 2000);
  ended("8", "failed", 3000);
  const std::string before = everything();

  EXPECT_THAT(must(inspector_->queues()).queues, ElementsAre(queue_));
  const QueueLook look = must(inspector_->look(queue_));
  EXPECT_EQ(look.evidence.dialect(), redis_store::DetectedDialect::kBull);
  EXPECT_EQ(look.counts[State::kWaiting], 2U);
  EXPECT_EQ(look.counts[State::kActive], 2U);
  EXPECT_EQ(look.oldest_waiting, JobId("1"));
  EXPECT_EQ(look.oldest_waiting_since, from_ms(1'700'000'000'000));
  ASSERT_EQ(look.unlocked.size(), 1U);
  EXPECT_EQ(look.unlocked[0].id, JobId("3"));
  EXPECT_GT(look.unlocked[0].age, Duration(1'000'000));
  EXPECT_EQ(look.overdue_total, 1U);
  ASSERT_EQ(look.overdue.size(), 1U);
  EXPECT_EQ(look.overdue[0].due, from_ms(1'700'000'000'000));
  EXPECT_FALSE(look.stalled_check_runs);

  const auto kept = must(inspector_->kept(queue_, State::kCompleted, 10));
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].job.id, JobId("7"));
  EXPECT_EQ(kept[0].job.result, "42");
  EXPECT_EQ(kept[0].result_bytes, 2U);
  EXPECT_EQ(must(inspector_->kept(queue_, State::kCompleted, 1)).size(), 1U);
  EXPECT_EQ(must(inspector_->kept(queue_, State::kFailed, 10)).size(), 1U);
  const auto waiting = must(inspector_->waiting(queue_, 10));
  ASSERT_EQ(waiting.size(), 3U);
  EXPECT_EQ(waiting[0].job.id, JobId("1")) << "the next one";
  EXPECT_EQ(waiting[1].job.state, State::kWaiting);
  EXPECT_EQ(waiting[2].job.id, JobId("5"));
  EXPECT_EQ(waiting[2].job.state, State::kDelayed);
  const auto next = must(inspector_->waiting(queue_, 1));
  ASSERT_EQ(next.size(), 2U);
  EXPECT_EQ(next[0].job.id, JobId("1"));
  EXPECT_EQ(everything(), before) << "the Inspector writes nothing";
}

TEST_F(InspectorTest, ReadsManyKeptJobsInOrder) {
  for (int i = 1; i <= 130; ++i) ended(std::to_string(i), "completed", 1000 + i);
  const auto kept = must(inspector_->kept(queue_, State::kCompleted, 120));
  ASSERT_EQ(kept.size(), 120U);
  EXPECT_EQ(kept.front().job.id, JobId("130"));
  EXPECT_EQ(kept.back().job.id, JobId("11"));
}

TEST_F(InspectorTest, FindsWorkersByConnectionName) {
  redis::ClientOptions options;
  options.endpoint.port = server_->port();
  options.client_name = "bull:cXVlcnk=";  // as process() of the queue `query` names its connection
  const auto peer = redis::connect(options, env_);
  ASSERT_TRUE(peer->ready().get());
  const QueueLook look = must(inspector_->look(queue_));
  ASSERT_EQ(look.workers.size(), 1U);
  EXPECT_FALSE(look.workers[0].address.empty());
  EXPECT_THAT(must(inspector_->look(QueueName("other"))).workers, IsEmpty());
}

TEST_F(InspectorTest, ReadsTheServerFacts) {
  const ServerFacts facts = must(inspector_->server());
  EXPECT_THAT(facts.version, HasSubstr("."));
  EXPECT_EQ(facts.maxmemory_policy, "noeviction");
  EXPECT_EQ(facts.role, "master");
  EXPECT_GT(facts.used_bytes, 0U);
  EXPECT_TRUE(facts.config_readable);
  EXPECT_TRUE(redis_store::acceptable(facts, false));
}

TEST_F(InspectorTest, DetectsABullMqQueue) {
  (void)redis({"XADD", key("events"), "*", "event", "added"});
  (void)redis({"HSET", key("meta"), "version", "bullmq:6.7.0", "opts.maxLenEvents", "10000"});
  const Evidence evidence = must(inspector_->dialect(queue_));
  EXPECT_EQ(evidence.dialect(), redis_store::DetectedDialect::kBullMq);
  const Status use = may_be_used_as_bull(queue_, evidence);
  ASSERT_FALSE(use);
  EXPECT_EQ(use.error().code, Errc::kPermission);
  EXPECT_THAT(use.error().message, HasSubstr("the stream events"));
}

TEST_F(InspectorTest, DetectsAMixedQueue) {
  waiting("1");
  (void)redis({"HSET", key("1"), "attemptsMade", "1"});
  job("2", "of bullmq", {"atm", "1"});
  (void)redis({"LPUSH", key("wait"), "2"});
  const Evidence evidence = must(inspector_->dialect(queue_));
  EXPECT_EQ(evidence.dialect(), redis_store::DetectedDialect::kMixed);
  const Status use = may_be_used_as_bull(queue_, evidence);
  ASSERT_FALSE(use);
  EXPECT_THAT(use.error().message, HasSubstr("job 1 has the field attemptsMade"));
  EXPECT_THAT(use.error().message, HasSubstr("job 2 has the field atm"));
  EXPECT_THAT(use.error().message, HasSubstr("Stop the clients of one of them"));
}

TEST_F(InspectorTest, ReportsAnEmptyQueueAsUnknown) {
  EXPECT_EQ(must(inspector_->dialect(queue_)).dialect(), redis_store::DetectedDialect::kUnknown);
  (void)redis({"SET", key("id"), "3"});
  EXPECT_EQ(must(inspector_->dialect(queue_)).dialect(), redis_store::DetectedDialect::kUnknown);
}

}  // namespace
}  // namespace gaur::bull
