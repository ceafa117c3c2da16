// Pause and resume.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

void nothing_starts_while_paused(CaseContext& b) {
  const JobId id = b.add();
  (void)b.must(b.store().pause(b.queue));
  const auto reply = b.play(b.turn(5));
  EXPECT_TRUE(reply.taken.empty());
  EXPECT_TRUE(reply.next.paused);
  EXPECT_TRUE(b.counts().paused);
  EXPECT_EQ(b.state(id), State::kWaiting);
  (void)b.must(b.store().resume(b.queue));
  EXPECT_FALSE(b.counts().paused);
  EXPECT_EQ(b.take_one().job.id, id);
}

void what_runs_may_finish(CaseContext& b) {
  (void)b.add();
  const Taken taken = b.take_one();
  (void)b.must(b.store().pause(b.queue));
  EXPECT_TRUE(b.finish(taken, outcome::Completed{}));
}

void adding_and_waking_go_on(CaseContext& b) {
  (void)b.must(b.store().pause(b.queue));
  (void)b.add();
  (void)b.add("d", {.delay = Duration(10)});
  b.advance(Duration(10));
  (void)b.must(b.store().wake_delayed(b.queue));
  EXPECT_EQ(b.counts()[State::kWaiting], 2U);
}

void it_survives_reopening(CaseContext& b) {
  (void)b.add();
  (void)b.must(b.store().pause(b.queue));
  b.rig.crash_and_reopen();
  EXPECT_TRUE(b.counts().paused);
  EXPECT_TRUE(b.take(1).empty());
}

void twice_is_once(CaseContext& b) {
  (void)b.must(b.store().pause(b.queue));
  (void)b.must(b.store().pause(b.queue));
  (void)b.must(b.store().resume(b.queue));
  EXPECT_FALSE(b.counts().paused);
  (void)b.must(b.store().resume(b.queue));
}

void other_queues_go_on(CaseContext& b) {
  (void)b.must(b.store().pause(QueueName("other")));
  (void)b.add();
  EXPECT_EQ(b.take(1).size(), 1U);
}

}  // namespace

std::vector<Case> pausing_cases() {
  constexpr const char* kTheme = "Pausing";
  return {
      {kTheme, "StartsNothing", nothing_starts_while_paused},
      {kTheme, "LetsWhatRunsFinish", what_runs_may_finish},
      {kTheme, "LetsAddingAndWakingGoOn", adding_and_waking_go_on},
      {kTheme, "SurvivesReopening", it_survives_reopening},
      {kTheme, "TwiceIsOnce", twice_is_once},
      {kTheme, "LetsOtherQueuesGoOn", other_queues_go_on},
  };
}

}  // namespace gaur::conformance
