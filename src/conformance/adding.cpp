// Adding: the state of the new job, rejected requests, repeated custom ids.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

void stores_standard_job(CaseContext& t) {
  const JobId id = t.add("top", {.attempts = 3}, R"({"day":"2026-11-22","word":"한국"})");
  const Job job = t.job(id);
  EXPECT_EQ(job.state, State::kWaiting);
  EXPECT_EQ(job.queue, t.queue);
  EXPECT_EQ(job.name, "top");
  EXPECT_EQ(job.data, R"({"day":"2026-11-22","word":"한국"})");
  EXPECT_EQ(job.options.attempts, 3U);
  EXPECT_EQ(job.timestamp, t.fixture.clock().wall());
  EXPECT_EQ(job.attempts_made, 0U);
  EXPECT_EQ(job.attempts_started, 0U);
  EXPECT_EQ(t.counts()[State::kWaiting], 1U);
}

void sets_state_by_options(CaseContext& t) {
  const auto added = t.add_all({{.name = "a"},
                                {.name = "b", .options = {.priority = 5}},
                                {.name = "c", .options = {.delay = Duration(1000)}},
                                {.name = "d", .options = {.delay = Duration(1000), .priority = 5}}});
  ASSERT_EQ(added.size(), 4U);
  EXPECT_EQ(added[0].state, State::kWaiting);
  EXPECT_EQ(added[1].state, State::kPrioritized);
  EXPECT_EQ(added[2].state, State::kDelayed);
  EXPECT_EQ(added[3].state, State::kDelayed);
  EXPECT_EQ(t.job(added[2].id).due, t.fixture.clock().wall() + Duration(1000));
  EXPECT_EQ(t.counts()[State::kDelayed], 2U);
}

void stores_every_option(CaseContext& t) {
  JobOptions options{.delay = Duration(1000), .priority = 7, .lifo = true, .attempts = 4};
  options.backoff = {.kind = Backoff::Kind::kExponential, .delay = Duration(250), .jitter = 0.5};
  options.timestamp = from_ms(1'700'000'000'123);
  options.on_complete = Retention{.count = 10, .age = std::chrono::seconds(60)};
  options.on_fail = Retention{.count = 20};
  options.timeout = Duration(60'000);
  options.queue_timeout = Duration(600'000);
  options.keep_logs = 17;
  options.stack_trace_limit = 3;
  options.id = JobId("report-2026");
  const JobId id = t.add("report", options);
  EXPECT_EQ(id, JobId("report-2026"));
  EXPECT_EQ(t.job(id).options, options);
  EXPECT_EQ(t.job(id).timestamp, from_ms(1'700'000'000'123));
  t.fixture.crash_and_reopen();
  EXPECT_EQ(t.job(id).options, options);
}

void puts_lifo_job_at_front(CaseContext& t) {
  const JobId first = t.add("a");
  const JobId second = t.add("b");
  const JobId third = t.add("c", {.lifo = true});
  EXPECT_THAT(t.ids(State::kWaiting), ElementsAre(third, first, second));
}

void orders_by_priority_then_arrival(CaseContext& t) {
  const JobId low = t.add("low", {.priority = 9});
  const JobId high = t.add("high", {.priority = 1});
  const JobId high_too = t.add("high", {.priority = 1});
  const JobId most = t.add("most", {.priority = (1U << 21) - 1});
  EXPECT_THAT(t.ids(State::kPrioritized), ElementsAre(high, high_too, low, most));
}

void returns_positions(CaseContext& t) {
  const auto added = t.add_all({{.name = "a"}, {.name = "b"}, {.name = "c"}});
  ASSERT_EQ(added.size(), 3U);
  EXPECT_EQ(added[0].position, 0U);
  EXPECT_EQ(added[2].position, 2U);
}

void returns_existing_job_for_same_custom_id(CaseContext& t) {
  const JobId id = t.add("first", {.id = JobId("mine")}, R"({"n":1})");
  const auto again =
      t.add_all({{.name = "second", .data = R"({"n":2})", .options = {.id = JobId("mine"), .priority = 3}}});
  ASSERT_EQ(again.size(), 1U);
  EXPECT_TRUE(again[0].duplicate);
  EXPECT_EQ(again[0].id, id);
  EXPECT_EQ(again[0].state, State::kWaiting);
  EXPECT_EQ(t.job(id).name, "first");
  EXPECT_EQ(t.job(id).data, R"({"n":1})");
  EXPECT_EQ(t.counts()[State::kWaiting], 1U);
  EXPECT_EQ(t.counts()[State::kPrioritized], 0U);
}

void adds_custom_id_once_within_a_request(CaseContext& t) {
  const auto added = t.add_all(
      {{.name = "a", .options = {.id = JobId("x1")}}, {.name = "b", .options = {.id = JobId("x1")}}});
  ASSERT_EQ(added.size(), 2U);
  EXPECT_FALSE(added[0].duplicate);
  EXPECT_TRUE(added[1].duplicate);
  EXPECT_EQ(t.job(JobId("x1")).name, "a");
}

void treats_custom_id_of_finished_job_as_duplicate(CaseContext& t) {
  (void)t.add("a", {.id = JobId("once")});
  EXPECT_TRUE(t.finish(t.take_one(), outcome::Completed{"1"}));
  const auto again = t.add_all({{.name = "a", .options = {.id = JobId("once")}}});
  ASSERT_EQ(again.size(), 1U);
  EXPECT_TRUE(again[0].duplicate);
  EXPECT_EQ(again[0].state, State::kCompleted);
  EXPECT_TRUE(t.take(1).empty());
}

void accepts_custom_id_after_removal(CaseContext& t) {
  (void)t.add("a", {.id = JobId("again")});
  (void)t.must(t.store().remove(t.ref(JobId("again"))));
  const auto added = t.add_all({{.name = "b", .options = {.id = JobId("again")}}});
  ASSERT_EQ(added.size(), 1U);
  EXPECT_FALSE(added[0].duplicate);
  EXPECT_EQ(t.job(JobId("again")).name, "b");
}

void scopes_ids_by_queue(CaseContext& t) {
  (void)t.add("a", {.id = JobId("same")});
  const auto other = t.must(t.store().add(
      {.queue = QueueName("other"), .jobs = {{.name = "b", .options = {.id = JobId("same")}}}}));
  ASSERT_EQ(other.size(), 1U);
  EXPECT_FALSE(other[0].duplicate);
  EXPECT_EQ(t.job(JobId("same")).name, "a");
}

void never_reuses_generated_ids(CaseContext& t) {
  const JobId first = t.add();
  (void)t.must(t.store().remove(t.ref(first)));
  t.fixture.crash_and_reopen();
  EXPECT_NE(t.add(), first);
}

void rejects_whole_request_above_max_waiting(CaseContext& t) {
  (void)t.add();
  (void)t.add("p", {.priority = 2});
  AddRequest request = t.request({{.name = "a"}, {.name = "b"}});
  request.max_waiting = 3;
  EXPECT_EQ(t.error(t.store().add(request)), Errc::kQueueFull);
  EXPECT_EQ(t.counts().ready(), 2U);
  request.max_waiting = 4;
  EXPECT_EQ(t.must(t.store().add(request)).size(), 2U);
  EXPECT_EQ(t.counts().ready(), 4U);
}

void does_not_count_active_jobs_for_max_waiting(CaseContext& t) {
  (void)t.add();
  (void)t.take_one();
  AddRequest request = t.request({{.name = "a"}});
  request.max_waiting = 1;
  EXPECT_EQ(t.must(t.store().add(request)).size(), 1U);
}

void rejects_whole_request_with_invalid_job(CaseContext& t) {
  const auto expect_rejected = [&](NewJob bad) {
    auto result = t.now(t.store().add(t.request({{.name = "good"}, std::move(bad)})));
    EXPECT_FALSE(result);
    if (result) return;
    EXPECT_TRUE(result.error().code == Errc::kInvalidArgument || result.error().code == Errc::kTooLarge);
  };
  expect_rejected({.name = ""});
  expect_rejected({.name = "a", .data = "{not json"});
  expect_rejected({.name = "a", .data = ""});
  expect_rejected({.name = "a", .options = {.priority = 1U << 21}});
  expect_rejected({.name = "a", .options = {.delay = Duration(-1)}});
  expect_rejected({.name = "a", .options = {.id = JobId("123")}});
  expect_rejected({.name = "a", .options = {.id = JobId("")}});
  expect_rejected({.name = std::string("a\0b", 3)});
  expect_rejected({.name = "a", .data = '"' + std::string(2 << 20, 'x') + '"'});
  EXPECT_EQ(t.counts(), Counts{});
}

void rejects_invalid_queue_names(CaseContext& t) {
  for (const std::string& name : {std::string(), std::string(481, 'a'), std::string("\xff")}) {
    EXPECT_EQ(t.error(t.store().add({.queue = QueueName(name), .jobs = {{.name = "a"}}})),
              Errc::kInvalidArgument)
        << name;
  }
}

/// The store accepts every queue name that Bull accepts.
void accepts_queue_names_of_bull(CaseContext& t) {
  for (const std::string& name :
       {std::string("a:b"), std::string("a/b"), std::string(".."), std::string("a b"), std::string("\n"),
        std::string("메일"), std::string(480, 'a')}) {
    const QueueName queue(name);
    const auto added = t.must(t.store().add({.queue = queue, .jobs = {{.name = "a"}}}));
    ASSERT_EQ(added.size(), 1U) << name;
    EXPECT_EQ(t.must(t.store().counts(queue)).ready(), 1U) << name;
    EXPECT_EQ(t.must(t.store().get({queue, added.front().id})).queue, queue) << name;
  }
}

void accepts_empty_request(CaseContext& t) {
  EXPECT_THAT(t.must(t.store().add(t.request({}))), IsEmpty());
  EXPECT_EQ(t.counts(), Counts{});
}

void adds_large_batch_atomically(CaseContext& t) {
  std::vector<NewJob> jobs(2000, NewJob{.name = "many"});
  const auto added = t.add_all(jobs);
  ASSERT_EQ(added.size(), 2000U);
  EXPECT_EQ(t.counts()[State::kWaiting], 2000U);
  EXPECT_EQ(t.take_one().job.id, added.front().id);
}

void stores_one_megabyte_of_data(CaseContext& t) {
  const std::string data = '"' + std::string((1 << 20) - 2, 'x') + '"';
  EXPECT_EQ(t.job(t.add("big", {}, data)).data, data);
}

}  // namespace

std::vector<Case> adding_cases() {
  constexpr const char* kTheme = "Adding";
  return {
      {kTheme, "StoresStandardJob", stores_standard_job},
      {kTheme, "SetsStateByOptions", sets_state_by_options},
      {kTheme, "StoresEveryOption", stores_every_option, {Capability::kEveryOption}},
      {kTheme, "PutsLifoJobAtFront", puts_lifo_job_at_front},
      {kTheme, "OrdersByPriorityThenArrival", orders_by_priority_then_arrival},
      {kTheme, "ReturnsPositions", returns_positions},
      {kTheme, "ReturnsExistingJobForSameCustomId", returns_existing_job_for_same_custom_id},
      {kTheme, "AddsCustomIdOnceWithinARequest", adds_custom_id_once_within_a_request},
      {kTheme, "TreatsCustomIdOfFinishedJobAsDuplicate", treats_custom_id_of_finished_job_as_duplicate},
      {kTheme, "AcceptsCustomIdAfterRemoval", accepts_custom_id_after_removal},
      {kTheme, "ScopesIdsByQueue", scopes_ids_by_queue},
      {kTheme, "NeverReusesGeneratedIds", never_reuses_generated_ids},
      {kTheme, "RejectsWholeRequestAboveMaxWaiting", rejects_whole_request_above_max_waiting},
      {kTheme, "DoesNotCountActiveJobsForMaxWaiting", does_not_count_active_jobs_for_max_waiting},
      {kTheme, "RejectsWholeRequestWithInvalidJob", rejects_whole_request_with_invalid_job},
      {kTheme, "RejectsInvalidQueueNames", rejects_invalid_queue_names},
      {kTheme, "AcceptsQueueNamesOfBull", accepts_queue_names_of_bull},
      {kTheme, "AcceptsEmptyRequest", accepts_empty_request},
      {kTheme, "AddsLargeBatchAtomically", adds_large_batch_atomically},
      {kTheme, "StoresOneMegabyteOfData", stores_one_megabyte_of_data},
  };
}

}  // namespace gaur::conformance
