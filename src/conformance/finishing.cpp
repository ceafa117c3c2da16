// Finishing: outcomes, tokens, retention.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

void stores_result_and_times(CaseContext& t) {
  const JobId id = t.add();
  const Taken taken = t.take_one();
  t.advance(Duration(700));
  const auto result = t.finish(taken, outcome::Completed{R"({"rows":3})"});
  ASSERT_TRUE(result);
  EXPECT_EQ(*result, (FinishResult{.state = State::kCompleted, .kept = true, .attempts_made = 1}));
  const Job job = t.job(id);
  EXPECT_EQ(job.state, State::kCompleted);
  EXPECT_EQ(job.result, R"({"rows":3})");
  EXPECT_EQ(job.finished_on, t.fixture.clock().wall());
  EXPECT_EQ(job.processed_on, t.fixture.clock().wall() - Duration(700));
  EXPECT_EQ(job.attempts_made, 1U);
  EXPECT_EQ(t.counts()[State::kCompleted], 1U);
  EXPECT_EQ(t.counts()[State::kActive], 0U);
}

/// The result has a nested object that looks like a file.
void stores_result_file(CaseContext& t) {
  const ResultFileInfo file = CaseContext::result_file();
  ResultFileInfo link = file;
  link.url = "https://host/v1/files/q/1?expires=1795338000000&signature=00";
  link.rows = 0;
  link.is_link = true;
  const std::string beside = R"({ "n":1.10,"of":{"file":{"url":"x"}} })";
  for (const auto& [result, made] : {std::pair(beside, file), {"{ }", file}, {"null", link}}) {
    const JobId id = t.add();
    ASSERT_TRUE(t.finish(t.take_one(), outcome::Completed{result, made}));
    EXPECT_EQ(t.job(id).result, result);
    EXPECT_EQ(t.job(id).result_file, made);
  }
  const JobId id = t.add();
  const Taken taken = t.take_one();
  ASSERT_TRUE(t.finish(taken, outcome::Completed{beside}));
  EXPECT_EQ(t.job(id).result, beside);
  EXPECT_FALSE(t.job(id).result_file);
}

void stores_failure(CaseContext& t) {
  const JobId id = t.add();
  const Failure failure{
      .code = "timeout", .message = "ran for 60 s", .stack = "at line 1", .details = R"({"peak":1})"};
  const auto result = t.finish(t.take_one(), outcome::Failed{failure, true});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->state, State::kFailed);
  EXPECT_EQ(result->attempts_made, 1U);
  const Job job = t.job(id);
  EXPECT_EQ(job.failure, t.known(failure));
  EXPECT_THAT(job.stacktrace, ElementsAre("at line 1"));
  EXPECT_EQ(job.finished_on, t.fixture.clock().wall());
}

void stores_usage(CaseContext& t) {
  const JobId id = t.add();
  const Taken taken = t.take_one();
  const Usage usage{
      .cpu_us = 1'234'567, .peak_rss_bytes = 99'000'000, .wall_us = 500'000, .details = R"({"rows":3})"};
  TakeRequest request = t.take_request(0);
  request.finished.push_back(
      {.id = id, .token = taken.token, .outcome = outcome::Completed{}, .usage = usage});
  EXPECT_TRUE(t.send(request).finished.at(0));
  EXPECT_EQ(t.job(id).usage, usage);
}

void finishes_and_takes_atomically(CaseContext& t) {
  const auto added = t.add_all({{.name = "a"}, {.name = "b"}, {.name = "c"}});
  const auto taken = t.take(2);
  ASSERT_EQ(taken.size(), 2U);
  TakeRequest request = t.take_request(1);
  for (const Taken& one : taken)
    request.finished.push_back({.id = one.job.id, .token = one.token, .outcome = outcome::Completed{}});
  const auto reply = t.send(request);
  ASSERT_EQ(reply.finished.size(), 2U);
  EXPECT_TRUE(reply.finished[0]);
  EXPECT_TRUE(reply.finished[1]);
  ASSERT_EQ(reply.taken.size(), 1U);
  EXPECT_EQ(reply.taken[0].job.id, added[2].id);
}

void rejects_wrong_token_without_change(CaseContext& t) {
  const JobId id = t.add();
  const Taken taken = t.take_one();
  const Job before = t.job(id);
  const auto result = t.finish(id, LockToken("someone:1:0"), outcome::Completed{"1"});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::kLockMismatch);
  EXPECT_EQ(t.job(id), before);
  EXPECT_TRUE(t.finish(taken, outcome::Completed{"2"})) << "the owner's lock is unchanged";
  EXPECT_EQ(t.job(id).result, "2");
}

void executes_other_finishes_after_a_rejected_one(CaseContext& t) {
  (void)t.add_all({{.name = "a"}, {.name = "b"}});
  const auto taken = t.take(2);
  ASSERT_EQ(taken.size(), 2U);
  TakeRequest request = t.take_request(0);
  request.finished.push_back({.id = JobId("not-here"), .token = taken[0].token});
  request.finished.push_back({.id = taken[0].job.id, .token = taken[1].token});
  request.finished.push_back({.id = taken[1].job.id, .token = taken[1].token});
  const auto reply = t.send(request);
  ASSERT_EQ(reply.finished.size(), 3U);
  ASSERT_FALSE(reply.finished[0]);
  EXPECT_EQ(reply.finished[0].error().code, Errc::kNotFound);
  ASSERT_FALSE(reply.finished[1]);
  EXPECT_EQ(reply.finished[1].error().code, Errc::kLockMismatch);
  EXPECT_TRUE(reply.finished[2]);
}

void rejects_second_finish(CaseContext& t) {
  const JobId id = t.add();
  const Taken taken = t.take_one();
  EXPECT_TRUE(t.finish(taken, outcome::Completed{"1"}));
  const auto again = t.finish(taken, outcome::Failed{});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::kLockMissing);
  EXPECT_EQ(t.job(id).result, "1");
  EXPECT_EQ(t.state(id), State::kCompleted);
}

void rejects_finish_after_lock_expired(CaseContext& t) {
  const JobId id = t.add();
  TakeRequest request = t.take_request(1);
  request.lock = Duration(1000);
  const auto taken = t.send(request).taken;
  ASSERT_EQ(taken.size(), 1U);
  t.advance(Duration(1001));
  const auto late = t.finish(taken[0], outcome::Completed{});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::kLockMissing);
  EXPECT_EQ(t.state(id), State::kActive);
}

void rejects_finish_of_older_run(CaseContext& t) {
  const JobId id = t.add();
  const Taken old = t.take_one();
  EXPECT_TRUE(t.finish(old, outcome::Requeue{"test"}));
  const auto waiting = t.finish(old, outcome::Completed{});
  ASSERT_FALSE(waiting);
  EXPECT_EQ(waiting.error().code, Errc::kLockMissing);
  const Taken current = t.take_one();
  const auto newer = t.finish(old, outcome::Completed{R"("old")"});
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().code, Errc::kLockMismatch);
  EXPECT_TRUE(t.finish(current, outcome::Completed{R"("new")"}));
  EXPECT_EQ(t.job(id).result, R"("new")");
}

void keeps_newest_by_count(CaseContext& t) {
  const JobId one = t.finished(outcome::Completed{}, {.count = 2});
  const JobId two = t.finished(outcome::Completed{}, {.count = 2});
  const JobId three = t.finished(outcome::Completed{}, {.count = 2});
  EXPECT_FALSE(t.exists(one));
  EXPECT_THAT(t.ids(State::kCompleted), ElementsAre(two, three));
  EXPECT_EQ(t.counts()[State::kCompleted], 2U);
}

void removes_at_once_with_count_zero(CaseContext& t) {
  const JobId id = t.add();
  const auto result = t.finish(t.take_one(), outcome::Completed{}, {.count = 0});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->state, State::kCompleted);
  EXPECT_FALSE(result->kept);
  EXPECT_FALSE(t.exists(id));
  EXPECT_EQ(t.counts(), Counts{});
}

void removes_by_age(CaseContext& t) {
  const Retention keep{.age = std::chrono::seconds(10)};
  const JobId old = t.finished(outcome::Failed{}, keep);
  t.advance(Duration(6000));
  const JobId young = t.finished(outcome::Failed{}, keep);
  EXPECT_TRUE(t.exists(old));
  t.advance(Duration(4001));
  const JobId last = t.finished(outcome::Failed{}, keep);
  EXPECT_FALSE(t.exists(old));
  EXPECT_THAT(t.ids(State::kFailed), ElementsAre(young, last));
}

void applies_retention_to_its_state_only(CaseContext& t) {
  const JobId failed_one = t.finished(outcome::Failed{});
  (void)t.finished(outcome::Completed{}, {.count = 0});
  const JobId done = t.finished(outcome::Completed{}, {.count = 1});
  EXPECT_TRUE(t.exists(failed_one));
  EXPECT_TRUE(t.exists(done));
}

void finishes_many_at_once(CaseContext& t) {
  (void)t.add_all(std::vector<NewJob>(300, NewJob{.name = "n"}));
  const auto taken = t.take(300);
  ASSERT_EQ(taken.size(), 300U);
  TakeRequest request = t.take_request(0);
  for (const Taken& one : taken)
    request.finished.push_back({.id = one.job.id, .token = one.token, .outcome = outcome::Completed{}});
  for (const auto& result : t.send(request).finished) EXPECT_TRUE(result);
  EXPECT_EQ(t.counts()[State::kCompleted], 300U);
  EXPECT_THAT(t.ids(State::kActive), IsEmpty());
}

}  // namespace

std::vector<Case> finishing_cases() {
  constexpr const char* kTheme = "Finishing";
  return {
      {kTheme, "StoresResultAndTimes", stores_result_and_times},
      {kTheme, "StoresResultFile", stores_result_file},
      {kTheme, "StoresFailure", stores_failure},
      {kTheme, "StoresUsage", stores_usage, {Capability::kUsage}},
      {kTheme, "FinishesAndTakesAtomically", finishes_and_takes_atomically},
      {kTheme, "RejectsWrongTokenWithoutChange", rejects_wrong_token_without_change},
      {kTheme, "ExecutesOtherFinishesAfterARejectedOne", executes_other_finishes_after_a_rejected_one},
      {kTheme, "RejectsSecondFinish", rejects_second_finish},
      {kTheme, "RejectsFinishAfterLockExpired", rejects_finish_after_lock_expired},
      {kTheme, "RejectsFinishOfOlderRun", rejects_finish_of_older_run},
      {kTheme, "KeepsNewestByCount", keeps_newest_by_count},
      {kTheme, "RemovesAtOnceWithCountZero", removes_at_once_with_count_zero},
      {kTheme, "RemovesByAge", removes_by_age},
      {kTheme, "AppliesRetentionToItsStateOnly", applies_retention_to_its_state_only},
      {kTheme, "FinishesManyAtOnce", finishes_many_at_once},
  };
}

}  // namespace gaur::conformance
