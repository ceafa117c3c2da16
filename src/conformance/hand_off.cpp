// Hand-off: the step that makes a job ready also takes it for a long poll. And wait_for_work.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Duration kLong{3'600'000};

TakeRequest long_poll_request(CaseContext& t, std::uint32_t take, Duration park = kLong) {
  TakeRequest request = t.take_request(take);
  request.long_poll = park;
  return request;
}

/// Sends a request that becomes a long poll. The store executes calls in order, so after the next call it is
/// either answered or open.
Pending<TakeReply> open_long_poll(CaseContext& t, TakeRequest request) {
  auto reply = t.later(t.store().finish_and_take(std::move(request)));
  (void)t.must(t.store().wake_delayed(t.queue));
  EXPECT_FALSE(reply.ready()) << "the request found nothing to take, so it must wait";
  return reply;
}

std::vector<JobId> taken_by(Pending<TakeReply>& reply) {
  auto result = reply.get();
  EXPECT_TRUE(result) << result.error().message;
  std::vector<JobId> ids;
  if (!result) return ids;
  for (const Taken& taken : result->taken) ids.push_back(taken.job.id);
  return ids;
}

void add_is_taken_atomically(CaseContext& t) {
  TakeRequest request = long_poll_request(t, 2);
  auto reply = open_long_poll(t, request);
  const auto added = t.add_all({{.name = "a"}, {.name = "b"}, {.name = "c"}});
  ASSERT_EQ(added.size(), 3U);
  EXPECT_EQ(added[0].state, State::kActive);
  EXPECT_EQ(added[1].state, State::kActive);
  EXPECT_EQ(added[2].state, State::kWaiting);
  auto answer = reply.get();
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->taken.size(), 2U);
  EXPECT_EQ(answer->taken[0].job.id, added[0].id);
  EXPECT_EQ(answer->taken[0].token.value, t.worker + ":" + std::to_string(request.op.sequence) + ":0");
  EXPECT_EQ(t.counts()[State::kActive], 2U);
  EXPECT_TRUE(t.finish(answer->taken[0], outcome::Completed{}));
  EXPECT_EQ(t.event_kinds(added[1].id), "added waiting active");
}

void promote_and_wake_serve_long_poll(CaseContext& t) {
  const JobId promoted = t.add("d", {.delay = Duration(50'000)});
  const JobId woken = t.add("d", {.delay = Duration(1000)});
  auto first = open_long_poll(t, long_poll_request(t, 1));
  (void)t.must(t.store().promote(t.ref(promoted)));
  EXPECT_THAT(taken_by(first), ElementsAre(promoted));
  auto second = open_long_poll(t, long_poll_request(t, 1));
  t.advance(Duration(1000));
  (void)t.must(t.store().wake_delayed(t.queue));
  EXPECT_THAT(taken_by(second), ElementsAre(woken));
}

void requeue_serves_long_poll(CaseContext& t) {
  const JobId id = t.add();
  const Taken taken = t.take_one();
  t.worker = "worker-2";
  auto reply = open_long_poll(t, long_poll_request(t, 1));
  t.worker = "worker-1";
  EXPECT_TRUE(t.finish(taken, outcome::Requeue{"stop"}));
  EXPECT_THAT(taken_by(reply), ElementsAre(id));
}

void serves_oldest_long_poll_first(CaseContext& t) {
  t.worker = "worker-1";
  auto first = open_long_poll(t, long_poll_request(t, 1));
  t.worker = "worker-2";
  auto second = open_long_poll(t, long_poll_request(t, 1));
  const JobId one = t.add();
  EXPECT_THAT(taken_by(first), ElementsAre(one));
  const JobId two = t.add();
  EXPECT_THAT(taken_by(second), ElementsAre(two));
}

void next_request_of_session_ends_long_poll(CaseContext& t) {
  auto reply = open_long_poll(t, long_poll_request(t, 1));
  EXPECT_TRUE(t.take(0).empty());
  EXPECT_THAT(taken_by(reply), IsEmpty());
  const JobId id = t.add();
  EXPECT_EQ(t.state(id), State::kWaiting) << "no long poll is open any more";
}

void long_poll_ends_at_its_timeout(CaseContext& t) {
  auto reply = open_long_poll(t, long_poll_request(t, 1, Duration(1000)));
  t.advance(Duration(1001));
  EXPECT_THAT(taken_by(reply), IsEmpty());
  EXPECT_EQ(t.state(t.add()), State::kWaiting);
}

void long_poll_takes_only_fitting_jobs(CaseContext& t) {
  TakeRequest request = long_poll_request(t, 5);
  request.filter = AdmissionFilter{.free = {.cores = 1, .memory_bytes = 100}};
  request.filter->needs[FunctionName("small")] = {.cores = 1, .memory_bytes = 50};
  auto reply = open_long_poll(t, request);
  const JobId foreign = t.add("not-served");
  EXPECT_EQ(t.state(foreign), State::kWaiting);
  EXPECT_FALSE(reply.ready());
  const JobId small = t.add("small");
  EXPECT_THAT(taken_by(reply), ElementsAre(small));
}

void long_poll_commits_finishes_at_once(CaseContext& t) {
  const JobId id = t.add();
  const Taken taken = t.take_one();
  TakeRequest request = long_poll_request(t, 1);
  request.finished.push_back({.id = id, .token = taken.token, .outcome = outcome::Completed{"1"}});
  auto reply = open_long_poll(t, request);
  EXPECT_EQ(t.state(id), State::kCompleted);
  (void)t.take(0);
  auto answer = reply.get();
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->finished.size(), 1U);
  EXPECT_TRUE(answer->finished[0]);
}

void repeat_joins_long_poll(CaseContext& t) {
  const TakeRequest request = long_poll_request(t, 1);
  auto first = open_long_poll(t, request);
  auto again = open_long_poll(t, request);
  const JobId id = t.add();
  EXPECT_THAT(taken_by(first), ElementsAre(id));
  EXPECT_THAT(taken_by(again), ElementsAre(id));
  EXPECT_THAT(t.send(request).taken, testing::SizeIs(1));
  EXPECT_EQ(t.job(id).attempts_started, 1U);
}

void paused_queue_serves_no_long_poll(CaseContext& t) {
  (void)t.must(t.store().pause(t.queue));
  auto reply = open_long_poll(t, long_poll_request(t, 1));
  const JobId id = t.add();
  EXPECT_EQ(t.state(id), State::kWaiting);
  EXPECT_FALSE(reply.ready());
  (void)t.must(t.store().resume(t.queue));
  EXPECT_THAT(taken_by(reply), ElementsAre(id));
}

void closing_store_ends_long_poll(CaseContext& t) {
  auto reply = open_long_poll(t, long_poll_request(t, 1));
  t.fixture.crash_and_reopen();
  const auto answer = reply.get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::kStopping);
  EXPECT_EQ(t.state(t.add()), State::kWaiting);
}

// ---- wait_for_work ---------------------------------------------------------------------------

WorkRequest hint(CaseContext& t, Duration at_most = kLong) {
  return {.worker = t.worker, .queues = {t.queue, QueueName("other")}, .at_most = at_most};
}

void add_ends_wait(CaseContext& t) {
  auto reply = t.later(t.store().wait_for_work(hint(t)));
  (void)t.must(t.store().add({.queue = QueueName("other"), .jobs = {{.name = "a"}}}));
  const auto answer = reply.get();
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->queues, ElementsAre(QueueName("other")));
}

void returns_at_once_if_jobs_are_ready(CaseContext& t) {
  (void)t.add();
  EXPECT_THAT(t.must(t.store().wait_for_work(hint(t))).queues, ElementsAre(t.queue));
}

void ends_at_its_timeout(CaseContext& t) {
  auto reply = t.later(t.store().wait_for_work(hint(t, Duration(500))));
  t.advance(Duration(501));
  const auto answer = reply.get();
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->queues, IsEmpty());
}

}  // namespace

std::vector<Case> hand_off_cases() {
  constexpr const char* kTheme = "HandOff";
  const std::vector<Capability> hand_off{Capability::kHandOff};
  return {
      {kTheme, "AddIsTakenAtomically", add_is_taken_atomically, hand_off},
      {kTheme, "PromoteAndWakeServeLongPoll", promote_and_wake_serve_long_poll, hand_off},
      {kTheme, "RequeueServesLongPoll", requeue_serves_long_poll, hand_off},
      {kTheme, "ServesOldestLongPollFirst", serves_oldest_long_poll_first, hand_off},
      {kTheme, "NextRequestOfSessionEndsLongPoll", next_request_of_session_ends_long_poll, hand_off},
      {kTheme, "LongPollEndsAtItsTimeout", long_poll_ends_at_its_timeout, hand_off},
      {kTheme, "LongPollTakesOnlyFittingJobs", long_poll_takes_only_fitting_jobs, hand_off},
      {kTheme, "LongPollCommitsFinishesAtOnce", long_poll_commits_finishes_at_once, hand_off},
      {kTheme, "RepeatJoinsLongPoll", repeat_joins_long_poll, hand_off},
      {kTheme, "PausedQueueServesNoLongPoll", paused_queue_serves_no_long_poll, hand_off},
      {kTheme, "ClosingStoreEndsLongPoll", closing_store_ends_long_poll, hand_off},
      {"WaitForWork", "AddEndsWait", add_ends_wait},
      {"WaitForWork", "ReturnsAtOnceIfJobsAreReady", returns_at_once_if_jobs_are_ready},
      {"WaitForWork", "EndsAtItsTimeout", ends_at_its_timeout},
  };
}

}  // namespace gaur::conformance
