// Cancel: what waits fails at once, what runs is asked to end, what is finished stays.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

CancelReply cancel(CaseContext& b, const JobId& id) {
  return b.must(b.store().cancel(b.ref(id), "kim", "not needed"));
}

void what_waits_fails_at_once(CaseContext& b) {
  const auto added = b.add_all({{.name = "a", .options = {.attempts = 5}},
                                {.name = "b", .options = {.priority = 2}},
                                {.name = "c", .options = {.delay = Duration(1000)}}});
  for (const Added& one : added) {
    EXPECT_EQ(cancel(b, one.id), CancelReply::kRemoved);
    const Job job = b.job(one.id);
    EXPECT_EQ(job.state, State::kFailed);
    ASSERT_TRUE(job.failure);
    if (b.can(Capability::kFailureCode)) {
      EXPECT_EQ(job.failure->code, "cancelled");
    }
    EXPECT_THAT(job.failure->message, HasSubstr("kim"));
    EXPECT_THAT(job.failure->message, HasSubstr("not needed"));
    EXPECT_EQ(job.attempts_made, 0U);
    EXPECT_EQ(job.finished_on, b.rig.clock().wall());
    EXPECT_FALSE(job.due);
  }
  EXPECT_TRUE(b.take(9).empty());
  EXPECT_EQ(b.counts()[State::kFailed], 3U);
  b.advance(Duration(2000));
  (void)b.must(b.store().wake_delayed(b.queue));
  EXPECT_EQ(b.counts().ready(), 0U);
}

void the_owner_hears_it_in_its_turn(CaseContext& b) {
  const JobId id = b.add();
  const Taken taken = b.take_one();
  EXPECT_EQ(cancel(b, id), CancelReply::kRequested);
  EXPECT_EQ(b.state(id), State::kActive);
  const CancelRequest expected{
      .queue = b.queue, .id = id, .token = taken.token, .who = "kim", .why = "not needed"};
  EXPECT_THAT(b.play(b.turn(0)).cancels, ElementsAre(expected));
  EXPECT_TRUE(b.finish(taken, outcome::Failed{{.code = "cancelled", .message = "kim: not needed"}}));
  EXPECT_EQ(b.job(id).failure->message, "kim: not needed");
  if (b.can(Capability::kFailureCode)) {
    EXPECT_EQ(b.job(id).failure->code, "cancelled");
  }
  EXPECT_THAT(b.play(b.turn(0)).cancels, IsEmpty());
}

void the_owner_hears_it_as_it_renews(CaseContext& b) {
  const JobId id = b.add();
  const Taken taken = b.take_one();
  (void)cancel(b, id);
  const auto reply =
      b.must(b.store().extend_locks({.queue = b.queue, .held = {{id, taken.token}}, .worker = b.worker}));
  ASSERT_EQ(reply.cancels.size(), 1U);
  EXPECT_EQ(reply.cancels[0].token, taken.token);
}

void the_owner_hears_it_as_it_waits(CaseContext& b) {
  const JobId id = b.add();
  const Taken taken = b.take_one();
  // The first answer may tell of the add; the cancel is told by the one that is open when it comes.
  auto reply = b.later(
      b.store().wait_for_work({.worker = b.worker, .queues = {b.queue}, .at_most = Duration(3'600'000)}));
  (void)cancel(b, id);
  auto answer = reply.get();
  ASSERT_TRUE(answer);
  if (answer->cancels.empty()) {
    answer = b.now(
        b.store().wait_for_work({.worker = b.worker, .queues = {b.queue}, .at_most = Duration(3'600'000)}));
    ASSERT_TRUE(answer);
  }
  ASSERT_EQ(answer->cancels.size(), 1U);
  EXPECT_EQ(answer->cancels[0].id, id);
}

void nobody_else_hears_it(CaseContext& b) {
  const JobId id = b.add();
  (void)b.take_one();
  (void)cancel(b, id);
  b.worker = "worker-2";
  EXPECT_THAT(b.play(b.turn(0)).cancels, IsEmpty());
}

void a_run_may_end_well_all_the_same(CaseContext& b) {
  const JobId id = b.add();
  const Taken taken = b.take_one();
  (void)cancel(b, id);
  EXPECT_TRUE(b.finish(taken, outcome::Completed{"42"}));
  EXPECT_EQ(b.state(id), State::kCompleted);
}

void what_is_finished_stays(CaseContext& b) {
  EXPECT_EQ(cancel(b, b.finished(outcome::Completed{})), CancelReply::kFinished);
  EXPECT_EQ(cancel(b, b.finished(outcome::Failed{})), CancelReply::kFinished);
  EXPECT_EQ(b.error(b.store().cancel(b.ref(JobId("not-here")), "kim", "")), Errc::kNotFound);
}

}  // namespace

std::vector<Case> cancelling_cases() {
  constexpr const char* kTheme = "Cancelling";
  return {
      {kTheme, "FailsAtOnceWhatWaits", what_waits_fails_at_once},
      {kTheme, "IsHeardByTheOwnerInItsTurn", the_owner_hears_it_in_its_turn},
      {kTheme, "IsHeardByTheOwnerAsItRenews", the_owner_hears_it_as_it_renews},
      {kTheme, "IsHeardByTheOwnerAsItWaits", the_owner_hears_it_as_it_waits},
      {kTheme, "IsHeardByNobodyElse", nobody_else_hears_it},
      {kTheme, "LetsARunEndWellAllTheSame", a_run_may_end_well_all_the_same},
      {kTheme, "LeavesWhatIsFinished", what_is_finished_stays},
  };
}

}  // namespace gaur::conformance
