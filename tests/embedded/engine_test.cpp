// The verbs of the engine, in memory, with a manual clock.
#include <gmock/gmock.h>

#include "engine_fixture.hpp"

namespace gaur::test {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(EngineTest, TakesInOrderOfAdding) {
  for (int i = 0; i < 3; ++i) add_one();
  const TakeReply reply = take(2);
  ASSERT_EQ(reply.taken.size(), 2U);
  EXPECT_EQ(reply.taken[0].job.id.value, "1");
  EXPECT_EQ(reply.taken[1].job.id.value, "2");
  EXPECT_EQ(reply.taken[1].token.value, "w:1:1");
  EXPECT_TRUE(reply.next.more);
  EXPECT_FALSE(take(5).next.more);
}

TEST_F(EngineTest, StoresJobByteForByte) {
  JobOptions options;
  options.attempts = 3;
  options.backoff = {Backoff::Kind::kExponential, 500ms, 0.25};
  options.timeout = 30s;
  options.queue_timeout = 60s;
  options.on_complete = Retention{100, std::chrono::seconds(3600)};
  options.on_fail = Retention{{}, std::chrono::seconds(7)};
  options.keep_logs = 5;
  options.stack_trace_limit = 2;
  options.timestamp = from_ms(12345);
  const std::string data = R"({ "func":"랭킹",  "n": 1.0 })";
  const JobId id = add_one(options, "top keywords", data);
  const Job job = get(id);
  EXPECT_EQ(job.data, data);
  EXPECT_EQ(job.name, "top keywords");
  EXPECT_EQ(job.options, options);
  EXPECT_EQ(to_ms(job.timestamp), 12345);
}

TEST_F(EngineTest, OrdersLifoThenWaitingThenPriorities) {
  add_one();
  add_one({.priority = 5});
  add_one({.priority = 1});
  add_one({.priority = 5});
  add_one({.lifo = true});
  std::vector<std::string> order;
  for (const Taken& taken : take(9).taken) order.push_back(taken.job.id.value);
  EXPECT_THAT(order, ElementsAre("5", "1", "3", "2", "4"));
}

TEST_F(EngineTest, AddsCustomIdOnce) {
  const auto first = add({{"top", R"({"a":1})", {.id = JobId("report-7")}}});
  const auto again = add({{"top", R"({"a":2})", {.id = JobId("report-7")}}});
  ASSERT_TRUE(again.has_value());
  EXPECT_FALSE(first->front().duplicate);
  EXPECT_TRUE(again->front().duplicate);
  EXPECT_EQ(get(JobId("report-7")).data, R"({"a":1})");
  EXPECT_EQ(counts()[State::kWaiting], 1U);
}

TEST_F(EngineTest, RejectsWholeRequestAboveMaxWaiting) {
  ASSERT_TRUE(add({{"a", "{}", {}}, {"b", "{}", {.delay = 1s}}}, {}, 3).has_value());
  const auto rejected = add({{"c", "{}", {}}, {"d", "{}", {}}}, {}, 3);
  ASSERT_FALSE(rejected.has_value());
  EXPECT_EQ(rejected.error().code, Errc::kQueueFull);
  EXPECT_EQ(counts()[State::kWaiting], 1U);
}

TEST_F(EngineTest, RepeatedAddReturnsFirstReply) {
  const OperationId op{SessionName("api"), 1};
  const auto first = add({{"a", "{}", {}}}, op);
  const auto again = add({{"a", "{}", {}}}, op);
  EXPECT_EQ(*first, *again);
  EXPECT_EQ(counts()[State::kWaiting], 1U);
  ASSERT_TRUE(add({{"a", "{}", {}}}, {SessionName("api"), 2}).has_value());
  const auto old = add({{"a", "{}", {}}}, op);
  ASSERT_FALSE(old.has_value());
  EXPECT_EQ(old.error().code, Errc::kInvalidArgument);
}

TEST_F(EngineTest, RepeatedTakeReturnsFirstReplyAfterReopening) {
  add_one();
  const TakeReply started = take(1);
  add_one();
  TakeRequest request =
      take_request(1, {{started.taken[0].job.id, started.taken[0].token, outcome::Completed{"7"}, {}, {}}});
  const TakeReply first = run(request);
  const TakeReply again = run(request);
  EXPECT_EQ(first.taken, again.taken);
  EXPECT_EQ(*first.finished[0], *again.finished[0]);
  reopen();
  const TakeReply later = run(request);
  EXPECT_EQ(first.taken, later.taken);
  EXPECT_EQ(counts()[State::kWaiting], 1U) << "requeued at open and not taken again by the repeat";
}

TEST_F(EngineTest, StoresResultAndUsage) {
  add_one();
  const Taken taken = take(1).taken[0];
  Finish done{
      taken.job.id, taken.token, outcome::Completed{R"([{"r":1}])"}, {}, Usage{5, 6, 7, R"({"rows":1})"}};
  const TakeReply reply = run(take_request(0, {done}));
  EXPECT_EQ(reply.finished[0]->state, State::kCompleted);
  const Job job = get(taken.job.id);
  EXPECT_EQ(job.result, R"([{"r":1}])");
  EXPECT_EQ(job.usage, done.usage);
  EXPECT_EQ(job.attempts_made, 1U);
  EXPECT_EQ(job.processed_by, "host");
  EXPECT_THAT(events(), ElementsAre("added 1", "waiting 1", "active 1 from waiting",
                                    "completed 1 from active", "drained"));
}

TEST_F(EngineTest, RejectsLateFinishWithoutChange) {
  add_one();
  const Taken first = take(1).taken[0];
  clock.advance(31s);
  must(step([&](Engine& e) { return e.recover({q, 5, {}}); }));
  const auto expired = finish(first, outcome::Completed{});
  ASSERT_FALSE(expired.has_value());
  EXPECT_EQ(expired.error().code, Errc::kLockMissing);
  const Taken second = take(1).taken[0];
  const auto late = finish(first, outcome::Completed{});
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().code, Errc::kLockMismatch);
  EXPECT_EQ(get(first.job.id).state, State::kActive);
  EXPECT_TRUE(finish(second, outcome::Completed{}).has_value());
  EXPECT_EQ(finish({.job = Job{.id = JobId("77")}}, outcome::Completed{}).error().code, Errc::kNotFound);
}

TEST_F(EngineTest, RetriesAtBackAfterDelay) {
  const JobId id = add_one({.attempts = 3});
  const Taken taken = take(1).taken[0];
  const auto result = finish(taken, outcome::RetryAfter{500ms, {"error", "boom", "at x", ""}, true});
  EXPECT_EQ(result->state, State::kDelayed);
  EXPECT_EQ(get(id).failure->message, "boom");
  EXPECT_THAT(get(id).stacktrace, ElementsAre("at x"));
  add_one();
  clock.advance(499ms);
  must(step([&](Engine& e) { return e.wake_delayed(q); }));
  EXPECT_THAT(ids(State::kDelayed), ElementsAre("1"));
  clock.advance(1ms);
  must(step([&](Engine& e) { return e.wake_delayed(q); }));
  EXPECT_THAT(ids(State::kWaiting), ElementsAre("2", "1"));
}

TEST_F(EngineTest, RequeuesStalledJobsAndFailsThemAtLimit) {
  add_one();
  add_one();
  add_one();
  take(2);
  clock.advance(30s);
  const auto recovered = step([&](Engine& e) { return e.recover({q, 1, {}}); });
  EXPECT_EQ(recovered->requeued.size(), 2U);
  EXPECT_THAT(ids(State::kWaiting), ElementsAre("1", "2", "3"));
  take(1);
  clock.advance(30s);
  const auto again = step([&](Engine& e) { return e.recover({q, 1, {}}); });
  EXPECT_EQ(again->failed.size(), 1U);
  EXPECT_EQ(get(JobId("1")).failure->code, "stalled");
  EXPECT_EQ(get(JobId("1")).stalled, 2U);
}

TEST_F(EngineTest, ReopeningAfterSuspectEndCountsActiveJobs) {
  const JobId guilty = add_one();
  const JobId other = add_one();
  const Failure error{.message = "no such table", .stack = "at line 7"};
  EXPECT_TRUE(finish(take(1).taken.front(), outcome::RetryAfter{.failure = error}));
  EXPECT_TRUE(finish(take(1).taken.front(), outcome::Completed{}));
  EXPECT_EQ(get(other).state, State::kCompleted);
  for (std::uint32_t stalled = 1; stalled <= 2; ++stalled) {
    EXPECT_EQ(take(1).taken.front().job.id, guilty);
    engine.reset();
    engine = must(Engine::open(*env, Semantics::bullmq(), now(), CountActive{.max_stalled = 1}));
    EXPECT_EQ(get(guilty).stalled, stalled);
  }
  const Job job = get(guilty);
  EXPECT_EQ(job.state, State::kFailed);
  EXPECT_EQ(job.attempts_made, 1U);
  ASSERT_TRUE(job.failure);
  EXPECT_EQ(job.failure->code, "stalled");
  EXPECT_EQ(job.failure->message, "stalled more often than allowed; the last error was: no such table");
  EXPECT_EQ(job.failure->stack, "at line 7");
}

TEST_F(EngineTest, KeepsNewestByCount) {
  for (int i = 0; i < 5; ++i) add_one();
  for (const Taken& taken : take(5).taken) must(finish(taken, outcome::Completed{"1"}, {.count = 2}));
  EXPECT_THAT(ids(State::kCompleted), ElementsAre("4", "5"));
  EXPECT_EQ(counts()[State::kCompleted], 2U);
  add_one();
  const auto result = finish(take(1).taken[0], outcome::Completed{}, {.count = 0});
  EXPECT_FALSE(result->kept);
  EXPECT_THAT(ids(State::kCompleted), IsEmpty());
  EXPECT_FALSE(look([&](Snapshot& s) { return s.get({q, JobId("6")}); }).has_value());
}

TEST_F(EngineTest, RemovesByAge) {
  add_one();
  must(finish(take(1).taken[0], outcome::Completed{}));
  clock.advance(11s);
  add_one();
  must(finish(take(1).taken[0], outcome::Completed{}, {.age = std::chrono::seconds(10)}));
  EXPECT_THAT(ids(State::kCompleted), ElementsAre("2"));
}

TEST_F(EngineTest, FilterLeavesOtherJobsInPlace) {
  for (const char* name : {"small", "big", "small", "closed", "tiny"}) add_one({}, name);
  TakeRequest request = take_request(9);
  request.filter = AdmissionFilter{.free = {2, 4}, .needs = {}, .default_needs = {}};
  request.filter->needs[FunctionName("small")] = {1, 1};
  request.filter->needs[FunctionName("big")] = {4, 8};
  request.filter->needs[FunctionName("closed")] = {.cores = 1, .unavailable = true};
  TakeReply reply = run(request);
  ASSERT_EQ(reply.taken.size(), 1U);
  ASSERT_TRUE(reply.blocked.has_value());
  EXPECT_EQ(reply.blocked->id.value, "2");
  EXPECT_TRUE(reply.next.more);
  EXPECT_THAT(ids(State::kWaiting), ElementsAre("2", "3", "4", "5"));

  request = take_request(9);
  request.filter = AdmissionFilter{
      .free = {2, 4}, .needs = {}, .default_needs = Needs{1, 1}, .backfill = true, .spare = {1, 1}};
  request.filter->needs[FunctionName("big")] = {4, 8};
  request.filter->needs[FunctionName("closed")] = {.cores = 1, .unavailable = true};
  reply = run(request);
  ASSERT_EQ(reply.taken.size(), 1U) << "only one fits the spare capacity";
  EXPECT_EQ(reply.taken[0].job.id.value, "3");
  EXPECT_THAT(ids(State::kWaiting), ElementsAre("2", "4", "5"));
}

TEST_F(EngineTest, ReadsFunctionFromDataField) {
  add_one({}, "job", R"({"a":{"func":"rank"}})");
  TakeRequest request = take_request(1);
  request.filter = AdmissionFilter{.free = {1, 1},
                                   .needs = {{FunctionName("rank"), Needs{1, 1}}},
                                   .default_needs = {},
                                   .function_field = "a.func"};
  const TakeReply reply = run(request);
  ASSERT_EQ(reply.taken.size(), 1U);
  EXPECT_EQ(reply.taken[0].function.value, "rank");
}

TEST_F(EngineTest, TakesNothingWhilePaused) {
  add_one();
  must(step([&](Engine& e) { return e.pause(q); }));
  EXPECT_THAT(take(1).taken, IsEmpty());
  EXPECT_TRUE(take(1).next.paused);
  must(step([&](Engine& e) { return e.resume(q); }));
  EXPECT_EQ(take(1).taken.size(), 1U);
}

TEST_F(EngineTest, ReopeningRequeuesActiveJobsUncounted) {
  for (int i = 0; i < 4; ++i) add_one();
  add_one({.priority = 3});
  take(2);
  reopen();
  EXPECT_THAT(ids(State::kWaiting), ElementsAre("1", "2", "3", "4"));
  EXPECT_EQ(get(JobId("1")).attempts_made, 0U);
  EXPECT_EQ(get(JobId("1")).stalled, 0U);
  EXPECT_EQ(counts()[State::kActive], 0U);
  EXPECT_EQ(take(1).taken[0].job.attempts_started, 2U);
}

TEST_F(EngineTest, AbortRevertsEverything) {
  add_one();
  const Taken taken = take(1).taken[0];
  const Counts before = counts();
  ASSERT_TRUE(engine->begin(now()).has_value());
  ASSERT_TRUE(engine->add({q, {{"a", "{}", {}}}, {}, 0}).has_value());
  ASSERT_TRUE(engine->add({QueueName("new"), {{"a", "{}", {}}}, {}, 0}).has_value());
  ASSERT_TRUE(
      engine->finish_and_take(take_request(1, {{taken.job.id, taken.token, outcome::Completed{}, {}, {}}}))
          ->reply.finished[0]
          .has_value());
  engine->abort();
  EXPECT_EQ(counts(), before);
  EXPECT_EQ(engine->find_queue(QueueName("new")), nullptr);
  EXPECT_TRUE(finish(taken, outcome::Completed{}).has_value()) << "its lock is restored";
}

}  // namespace gaur::test
