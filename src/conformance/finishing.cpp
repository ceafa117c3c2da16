// Finishing: outcomes, tokens, retention.
#include <gmock/gmock.h>

#include <algorithm>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

void completed(CaseContext& b) {
  const JobId id = b.add();
  const Taken taken = b.take_one();
  b.advance(Duration(700));
  const auto moved = b.finish(taken, outcome::Completed{R"({"rows":3})"});
  ASSERT_TRUE(moved);
  EXPECT_EQ(*moved, (FinishResult{.state = State::kCompleted, .kept = true, .attempts_made = 1}));
  const Job job = b.job(id);
  EXPECT_EQ(job.state, State::kCompleted);
  EXPECT_EQ(job.result, R"({"rows":3})");
  EXPECT_EQ(job.finished_on, b.rig.clock().wall());
  EXPECT_EQ(job.processed_on, b.rig.clock().wall() - Duration(700));
  EXPECT_EQ(job.attempts_made, 1U);
  EXPECT_EQ(b.counts()[State::kCompleted], 1U);
  EXPECT_EQ(b.counts()[State::kActive], 0U);
}

/// Times of result files have whole seconds. The result has a nested object that looks like a file.
void completed_with_a_result_file(CaseContext& b) {
  const ResultFileInfo file{.url = "/v1/queues/q/jobs/1/result",
                            .format = "csv",
                            .bytes = 12,
                            .rows = 3,
                            .expires_at = from_ms(1'795'338'000'000)};
  ResultFileInfo link = file;
  link.url = "https://host/v1/files/q/1?expires=1795338000000&signature=00";
  link.rows = 0;
  link.is_link = true;
  const std::string beside = R"({ "n":1.10,"of":{"file":{"url":"x"}} })";
  for (const auto& [result, made] : {std::pair(beside, file), {"{ }", file}, {"null", link}}) {
    const JobId id = b.add();
    ASSERT_TRUE(b.finish(b.take_one(), outcome::Completed{result, made}));
    EXPECT_EQ(b.job(id).result, result);
    EXPECT_EQ(b.job(id).result_file, made);
    const auto events = b.events();
    const auto completed = std::find_if(events.rbegin(), events.rend(), [&](const Event& event) {
      return event.kind == EventKind::kCompleted && event.id == id;
    });
    ASSERT_NE(completed, events.rend());
    EXPECT_EQ(completed->detail, result_json(b.job(id)));
  }
  const JobId id = b.add();
  const Taken taken = b.take_one();
  ASSERT_TRUE(b.finish(taken, outcome::Completed{beside}));
  EXPECT_EQ(b.job(id).result, beside);
  EXPECT_FALSE(b.job(id).result_file);
}

void failed(CaseContext& b) {
  const JobId id = b.add();
  const Failure failure{
      .code = "timeout", .message = "ran for 60 s", .stack = "at line 1", .details = R"({"peak":1})"};
  const auto moved = b.finish(b.take_one(), outcome::Failed{failure, true});
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->state, State::kFailed);
  EXPECT_EQ(moved->attempts_made, 1U);
  const Job job = b.job(id);
  EXPECT_EQ(job.failure, b.known(failure));
  EXPECT_THAT(job.stacktrace, ElementsAre("at line 1"));
  EXPECT_EQ(job.finished_on, b.rig.clock().wall());
}

void use_is_stored(CaseContext& b) {
  const JobId id = b.add();
  const Taken taken = b.take_one();
  const Usage usage{
      .cpu_us = 1'234'567, .peak_rss_bytes = 99'000'000, .wall_us = 500'000, .details = R"({"rows":3})"};
  TakeRequest turn = b.turn(0);
  turn.finished.push_back({.id = id, .token = taken.token, .outcome = outcome::Completed{}, .usage = usage});
  EXPECT_TRUE(b.play(turn).finished.at(0));
  EXPECT_EQ(b.job(id).usage, usage);
}

void finish_and_take_in_one_step(CaseContext& b) {
  const auto added = b.add_all({{.name = "a"}, {.name = "b"}, {.name = "c"}});
  const auto taken = b.take(2);
  ASSERT_EQ(taken.size(), 2U);
  TakeRequest turn = b.turn(1);
  for (const Taken& one : taken)
    turn.finished.push_back({.id = one.job.id, .token = one.token, .outcome = outcome::Completed{}});
  const auto reply = b.play(turn);
  ASSERT_EQ(reply.finished.size(), 2U);
  EXPECT_TRUE(reply.finished[0]);
  EXPECT_TRUE(reply.finished[1]);
  ASSERT_EQ(reply.taken.size(), 1U);
  EXPECT_EQ(reply.taken[0].job.id, added[2].id);
}

void a_wrong_token_is_refused_and_changes_nothing(CaseContext& b) {
  const JobId id = b.add();
  const Taken taken = b.take_one();
  const Job before = b.job(id);
  const auto moved = b.finish(id, LockToken("someone:1:0"), outcome::Completed{"1"});
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().code, Errc::kLockMismatch);
  EXPECT_EQ(b.job(id), before);
  EXPECT_TRUE(b.finish(taken, outcome::Completed{"2"})) << "the owner's lock is untouched";
  EXPECT_EQ(b.job(id).result, "2");
}

void one_refused_stops_no_other(CaseContext& b) {
  (void)b.add_all({{.name = "a"}, {.name = "b"}});
  const auto taken = b.take(2);
  ASSERT_EQ(taken.size(), 2U);
  TakeRequest turn = b.turn(0);
  turn.finished.push_back({.id = JobId("not-here"), .token = taken[0].token});
  turn.finished.push_back({.id = taken[0].job.id, .token = taken[1].token});
  turn.finished.push_back({.id = taken[1].job.id, .token = taken[1].token});
  const auto reply = b.play(turn);
  ASSERT_EQ(reply.finished.size(), 3U);
  ASSERT_FALSE(reply.finished[0]);
  EXPECT_EQ(reply.finished[0].error().code, Errc::kNotFound);
  ASSERT_FALSE(reply.finished[1]);
  EXPECT_EQ(reply.finished[1].error().code, Errc::kLockMismatch);
  EXPECT_TRUE(reply.finished[2]);
}

void a_second_finish_is_refused(CaseContext& b) {
  const JobId id = b.add();
  const Taken taken = b.take_one();
  EXPECT_TRUE(b.finish(taken, outcome::Completed{"1"}));
  const auto again = b.finish(taken, outcome::Failed{});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::kLockMissing);
  EXPECT_EQ(b.job(id).result, "1");
  EXPECT_EQ(b.state(id), State::kCompleted);
}

void a_finish_after_the_lock_expired_is_refused(CaseContext& b) {
  const JobId id = b.add();
  TakeRequest turn = b.turn(1);
  turn.lock = Duration(1000);
  const auto taken = b.play(turn).taken;
  ASSERT_EQ(taken.size(), 1U);
  b.advance(Duration(1001));
  const auto late = b.finish(taken[0], outcome::Completed{});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::kLockMissing);
  EXPECT_EQ(b.state(id), State::kActive);
}

void a_finish_of_an_older_run_is_refused(CaseContext& b) {
  const JobId id = b.add();
  const Taken old = b.take_one();
  EXPECT_TRUE(b.finish(old, outcome::Requeue{"test"}));
  const auto waiting = b.finish(old, outcome::Completed{});
  ASSERT_FALSE(waiting);
  EXPECT_EQ(waiting.error().code, Errc::kLockMissing);
  const Taken current = b.take_one();
  const auto newer = b.finish(old, outcome::Completed{R"("old")"});
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().code, Errc::kLockMismatch);
  EXPECT_TRUE(b.finish(current, outcome::Completed{R"("new")"}));
  EXPECT_EQ(b.job(id).result, R"("new")");
}

void retention_by_count(CaseContext& b) {
  const JobId one = b.finished(outcome::Completed{}, {.count = 2});
  const JobId two = b.finished(outcome::Completed{}, {.count = 2});
  const JobId three = b.finished(outcome::Completed{}, {.count = 2});
  EXPECT_FALSE(b.exists(one));
  EXPECT_THAT(b.ids(State::kCompleted), ElementsAre(two, three));
  EXPECT_EQ(b.counts()[State::kCompleted], 2U);
}

void retention_of_none(CaseContext& b) {
  const JobId id = b.add();
  const auto moved = b.finish(b.take_one(), outcome::Completed{}, {.count = 0});
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->state, State::kCompleted);
  EXPECT_FALSE(moved->kept);
  EXPECT_FALSE(b.exists(id));
  EXPECT_EQ(b.counts(), Counts{});
}

void retention_by_age(CaseContext& b) {
  const Retention keep{.age = std::chrono::seconds(10)};
  const JobId old = b.finished(outcome::Failed{}, keep);
  b.advance(Duration(6000));
  const JobId young = b.finished(outcome::Failed{}, keep);
  EXPECT_TRUE(b.exists(old));
  b.advance(Duration(4001));
  const JobId last = b.finished(outcome::Failed{}, keep);
  EXPECT_FALSE(b.exists(old));
  EXPECT_THAT(b.ids(State::kFailed), ElementsAre(young, last));
}

void retention_touches_its_own_set_only(CaseContext& b) {
  const JobId failed_one = b.finished(outcome::Failed{});
  (void)b.finished(outcome::Completed{}, {.count = 0});
  const JobId done = b.finished(outcome::Completed{}, {.count = 1});
  EXPECT_TRUE(b.exists(failed_one));
  EXPECT_TRUE(b.exists(done));
}

void many_at_once(CaseContext& b) {
  (void)b.add_all(std::vector<NewJob>(300, NewJob{.name = "n"}));
  const auto taken = b.take(300);
  ASSERT_EQ(taken.size(), 300U);
  TakeRequest turn = b.turn(0);
  for (const Taken& one : taken)
    turn.finished.push_back({.id = one.job.id, .token = one.token, .outcome = outcome::Completed{}});
  for (const auto& moved : b.play(turn).finished) EXPECT_TRUE(moved);
  EXPECT_EQ(b.counts()[State::kCompleted], 300U);
  EXPECT_THAT(b.ids(State::kActive), IsEmpty());
}

}  // namespace

std::vector<Case> finishing_cases() {
  constexpr const char* kTheme = "Finishing";
  return {
      {kTheme, "CompletedKeepsResultAndTimes", completed},
      {kTheme, "CompletedKeepsTheResultFile", completed_with_a_result_file},
      {kTheme, "FailedKeepsTheWholeFailure", failed},
      {kTheme, "UseIsStoredWithTheJob", use_is_stored, {Capability::kUsage}},
      {kTheme, "FinishesAndTakesInOneStep", finish_and_take_in_one_step},
      {kTheme, "AWrongTokenIsRefusedAndChangesNothing", a_wrong_token_is_refused_and_changes_nothing},
      {kTheme, "OneRefusedStopsNoOther", one_refused_stops_no_other},
      {kTheme, "ASecondFinishIsRefused", a_second_finish_is_refused},
      {kTheme, "AfterTheLockExpiredIsRefused", a_finish_after_the_lock_expired_is_refused},
      {kTheme, "OfAnOlderRunIsRefused", a_finish_of_an_older_run_is_refused},
      {kTheme, "KeepsTheNewestByCount", retention_by_count},
      {kTheme, "WithCountZeroRemovesAtOnce", retention_of_none},
      {kTheme, "RemovesByAge", retention_by_age},
      {kTheme, "RetentionTouchesItsOwnSetOnly", retention_touches_its_own_set_only},
      {kTheme, "ManyAtOnce", many_at_once},
  };
}

}  // namespace gaur::conformance
