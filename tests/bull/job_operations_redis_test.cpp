// Verbs on jobs and queues of Bull clients: which keys they write.
#include "layout_fixture.hpp"

namespace gaur::bull {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class JobOperationsTest : public Layout {};

TEST_F(JobOperationsTest, ReadAJobOfABullClient) {
  waiting("7");
  const Job job = must(store().get(ref("7")));
  EXPECT_EQ(job.state, State::kWaiting);
  EXPECT_EQ(job.name, "__default__");
  EXPECT_EQ(job.data, R"({"func":"rank"})");
  EXPECT_EQ(error(store().get(ref("8"))), Errc::kNotFound);
}

TEST_F(JobOperationsTest, DoNotReadKeyNamesAsJobs) {
  waiting("7");
  (void)redis({"HSET", key("meta"), "paused", "1"});
  for (const char* id : {"wait", "meta", "id", "7:lock", "limiter:index", "de:x"}) {
    EXPECT_EQ(error(store().get(ref(id))), Errc::kNotFound) << id;
    EXPECT_EQ(error(store().remove(ref(id))), Errc::kNotFound) << id;
    EXPECT_EQ(error(store().promote(ref(id))), Errc::kNotFound) << id;
  }
  EXPECT_EQ(must(store().counts(queue_))[State::kWaiting], 1U);
}

TEST_F(JobOperationsTest, SkipIdsWithoutAJob) {
  waiting("1");
  (void)redis({"RPUSH", key("wait"), "ghost"});
  const auto jobs = must(store().range({.queue = queue_}));
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_EQ(jobs[0].id, JobId("1"));
  EXPECT_EQ(error(store().get(ref("ghost"))), Errc::kNotFound);
  EXPECT_EQ(text({"EXISTS", key("ghost")}), "0") << "no ghost hash appears";
}

TEST_F(JobOperationsTest, PauseKeepsAnExistingPausedList) {
  waiting("1");
  waiting("2");
  must(store().pause(queue_));
  EXPECT_THAT(list({"LRANGE", key("paused"), "0", "-1"}), ElementsAre("2", "1"));
  EXPECT_EQ(text({"GET", key("meta-paused")}), "1");
  EXPECT_EQ(text({"HGET", key("meta"), "paused"}), "1");
  waiting("3");  // a peer that did not see the pause
  must(store().pause(queue_));
  EXPECT_THAT(list({"LRANGE", key("paused"), "0", "-1"}), ElementsAre("3", "2", "1"));
  EXPECT_TRUE(must(store().counts(queue_)).paused);
  must(store().resume(queue_));
  EXPECT_THAT(list({"LRANGE", key("wait"), "0", "-1"}), ElementsAre("3", "2", "1"));
  EXPECT_EQ(text({"EXISTS", key("meta-paused"), key("meta"), key("paused")}), "0");
}

TEST_F(JobOperationsTest, PromoteInsertsByPriority) {
  waiting("1");
  job("2", "d", {"priority", "5", "delay", "60000"});
  (void)redis({"ZADD", key("delayed"), "7372800000000000000", "2"});
  must(store().promote(ref("2")));
  EXPECT_THAT(list({"LRANGE", key("wait"), "0", "-1"}), ElementsAre("1", "2"));
  EXPECT_EQ(text({"HGET", key("2"), "delay"}), "0");
  EXPECT_EQ(text({"ZSCORE", key("priority"), "2"}), "5");
  EXPECT_EQ(must(store().state(ref("2"))), State::kPrioritized);
  EXPECT_EQ(error(store().promote(ref("2"))), Errc::kNotInState);
}

TEST_F(JobOperationsTest, RetryChecksBeforeItClears) {
  ended("1", "completed", 5);
  waiting("2");
  (void)redis({"HSET", key("2"), "failedReason", "of an earlier attempt", "processedOn", "3"});
  EXPECT_EQ(error(store().retry(ref("2"), false)), Errc::kNotInState);
  EXPECT_EQ(text({"HGET", key("2"), "failedReason"}), "of an earlier attempt");
  ended("3", "failed", 5);
  (void)redis({"HSET", key("3"), "attemptsMade", "1", "processedOn", "4"});
  must(store().retry(ref("3"), false));
  EXPECT_THAT(list({"HMGET", key("3"), "finishedOn", "processedOn", "failedReason"}),
              ElementsAre("?", "?", "?"));
  EXPECT_EQ(text({"HGET", key("3"), "attemptsMade"}), "1");
  EXPECT_EQ(text({"HGET", key("3"), "retriedOn"}), std::to_string(to_ms(clock_.wall())));
  EXPECT_THAT(list({"LRANGE", key("wait"), "0", "-1"}), ElementsAre("3", "2"));
  ended("4", "failed", 6);
  (void)redis({"SET", key("4:lock"), "left standing"});
  EXPECT_EQ(error(store().retry(ref("4"), false)), Errc::kBusy);
}

TEST_F(JobOperationsTest, RemoveDeletesAllKeysAndRejectsLockedJobs) {
  waiting("1");
  (void)redis({"HSET", key("1"), "deid", "once"});
  (void)redis({"SET", key("de:once"), "1"});
  (void)redis({"RPUSH", key("1:logs"), "line"});
  active("2", "0f0e5e0c-5a0e-4a4c-9a6b-3a7b8d0f1c2d");
  EXPECT_EQ(error(store().remove(ref("2"))), Errc::kBusy);
  must(store().remove(ref("1")));
  EXPECT_EQ(text({"EXISTS", key("1"), key("1:logs"), key("de:once"), key("wait")}), "0");
  EXPECT_EQ(text({"LLEN", key("active")}), "1");
}

TEST_F(JobOperationsTest, ProgressRequiresTheLockAndIsPublished) {
  active("1", "host/query:5:0");
  EXPECT_EQ(error(store().update_progress(ref("1"), LockToken("host/query:4:0"), "1")), Errc::kLockMismatch);
  must(store().update_progress(ref("1"), LockToken("host/query:5:0"), R"({"rows":1})"));
  EXPECT_EQ(text({"HGET", key("1"), "progress"}), R"({"rows":1})");
  EXPECT_EQ(error(store().update_progress(ref("1"), std::nullopt, "{no json")), Errc::kInvalidArgument);
}

TEST_F(JobOperationsTest, LogsAreTrimmedToKeepLogs) {
  waiting("1");
  (void)redis({"HSET", key("1"), "opts", R"({"attempts":1,"keepLogs":2})"});
  EXPECT_EQ(must(store().append_logs(ref("1"), {"a", "b", "c"})), 2U);
  EXPECT_THAT(must(store().logs(ref("1"), 0, 10)).lines, ElementsAre("b", "c"));
  waiting("2");
  (void)redis({"HSET", key("2"), "opts", "no json"});
  EXPECT_EQ(must(store().append_logs(ref("2"), {"a"})), 1U);
}

TEST_F(JobOperationsTest, CancelDependsOnTheLockOwner) {
  waiting("1");
  active("2", "0f0e5e0c-5a0e-4a4c-9a6b-3a7b8d0f1c2d");
  active("3", "host/query:5:0");
  ended("4", "completed", 5);
  EXPECT_EQ(must(store().cancel(ref("1"), "kim", "enough")), CancelReply::kRemoved);
  EXPECT_EQ(must(store().cancel(ref("2"), "kim", "enough")), CancelReply::kForeign);
  EXPECT_EQ(must(store().cancel(ref("3"), "kim", "enough")), CancelReply::kRequested);
  EXPECT_EQ(must(store().cancel(ref("4"), "kim", "enough")), CancelReply::kFinished);
  EXPECT_EQ(text({"HGET", key("1"), "failedReason"}), "cancelled by kim: enough");
  EXPECT_EQ(text({"ZSCORE", key("failed"), "1"}), std::to_string(to_ms(clock_.wall())));
  EXPECT_EQ(text({"HGET", "gaur:bull:query:cancels", "3"}), "host/query:5:0\nkim\nenough");
}

TEST_F(JobOperationsTest, DrainDeletesJobsAndKeepsThePause) {
  for (int i = 1; i <= 150; ++i) waiting(std::to_string(i));
  must(store().pause(queue_));
  job("d");
  (void)redis({"ZADD", key("delayed"), "1", "d"});
  (void)redis({"RPUSH", key("150:logs"), "line"});
  EXPECT_EQ(must(store().drain(queue_, false)), 150U);
  EXPECT_EQ(text({"EXISTS", key("150"), key("150:logs"), key("paused")}), "0");
  EXPECT_EQ(must(store().drain(queue_, true)), 1U);
  EXPECT_THAT(list({"KEYS", "*"}), testing::UnorderedElementsAre(key("meta"), key("meta-paused")));
}

TEST_F(JobOperationsTest, CleanSkipsLockedJobsAndObeysItsLimit) {
  for (int i = 1; i <= 5; ++i) ended(std::to_string(i), "completed", 1000 + i);
  (void)redis({"SET", key("1:lock"), "left standing"});
  EXPECT_EQ(must(store().clean(queue_, State::kCompleted, Duration(0), 2)), 2U);
  EXPECT_THAT(list({"ZRANGE", key("completed"), "0", "-1"}), ElementsAre("1", "4", "5"));
  EXPECT_EQ(text({"EXISTS", key("2"), key("3")}), "0");
  EXPECT_EQ(must(store().clean(queue_, State::kCompleted, Duration(0), 0)), 2U);
}

TEST_F(JobOperationsTest, ObliterateLeavesNoKey) {
  waiting("1");
  ended("2", "failed", 5);
  active("3", "host/query:5:0");
  (void)redis({"SET", key("id"), "3"});
  (void)redis({"HSET", key("limiter:index"), "9", key("limiter:limited")});
  (void)redis({"SADD", key("limiter:limited"), "9"});
  EXPECT_EQ(error(store().obliterate(queue_, false)), Errc::kBusy);
  EXPECT_EQ(must(store().counts(queue_))[State::kWaiting], 1U);
  must(store().obliterate(queue_, true));
  EXPECT_THAT(list({"KEYS", "*"}), IsEmpty());
}

TEST_F(JobOperationsTest, FindQueuesUnderTheirPrefixOnly) {
  waiting("1");
  (void)redis({"SET", key("id"), "1"});
  (void)redis({"SET", "bull:other:id", "1"});
  (void)redis({"SET", "bullish:third:id", "1"});
  (void)redis({"SET", "bull:a b:id", "1"});
  EXPECT_THAT(must(store().queues()), ElementsAre(QueueName("a b"), QueueName("other"), QueueName("query")));
}

TEST_F(JobOperationsTest, ChangeDelayAndPriorityAsBull) {
  job("1", "d", {"delay", "60000"});
  (void)redis({"ZADD", key("delayed"), "7372800000000000007", "1"});
  must(store().change_delay(ref("1"), Duration(100)));
  const auto expected = (to_ms(clock_.wall()) + 100) * 4096;
  const auto score = std::stoll(text({"ZSCORE", key("delayed"), "1"}));
  EXPECT_EQ(score / 4096 * 4096, expected);
  waiting("2");
  must(store().change_priority(ref("2"), 3, false));
  EXPECT_EQ(must(store().state(ref("2"))), State::kPrioritized);
  must(store().change_priority(ref("2"), 0, false));
  EXPECT_EQ(must(store().state(ref("2"))), State::kWaiting);
  EXPECT_EQ(text({"LLEN", key("wait")}), "1");
}

}  // namespace
}  // namespace gaur::bull
