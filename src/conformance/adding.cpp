// Adding: where a job lands, what is refused, what a second add of the same id does.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

void standard(CaseContext& b) {
  const JobId id = b.add("top", {.attempts = 3}, R"({"day":"2026-11-22","word":"한국"})");
  const Job job = b.job(id);
  EXPECT_EQ(job.state, State::kWaiting);
  EXPECT_EQ(job.queue, b.queue);
  EXPECT_EQ(job.name, "top");
  EXPECT_EQ(job.data, R"({"day":"2026-11-22","word":"한국"})");
  EXPECT_EQ(job.options.attempts, 3U);
  EXPECT_EQ(job.timestamp, b.rig.clock().wall());
  EXPECT_EQ(job.attempts_made, 0U);
  EXPECT_EQ(job.attempts_started, 0U);
  EXPECT_EQ(b.counts()[State::kWaiting], 1U);
}

void each_kind_lands_in_its_place(CaseContext& b) {
  const auto added = b.add_all({{.name = "a"},
                                {.name = "b", .options = {.priority = 5}},
                                {.name = "c", .options = {.delay = Duration(1000)}},
                                {.name = "d", .options = {.delay = Duration(1000), .priority = 5}}});
  ASSERT_EQ(added.size(), 4U);
  EXPECT_EQ(added[0].state, State::kWaiting);
  EXPECT_EQ(added[1].state, State::kPrioritized);
  EXPECT_EQ(added[2].state, State::kDelayed);
  EXPECT_EQ(added[3].state, State::kDelayed);
  EXPECT_EQ(b.job(added[2].id).due, b.rig.clock().wall() + Duration(1000));
  EXPECT_EQ(b.counts()[State::kDelayed], 2U);
}

void every_option_is_kept(CaseContext& b) {
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
  const JobId id = b.add("report", options);
  EXPECT_EQ(id, JobId("report-2026"));
  EXPECT_EQ(b.job(id).options, options);
  EXPECT_EQ(b.job(id).timestamp, from_ms(1'700'000'000'123));
  b.rig.crash_and_reopen();
  EXPECT_EQ(b.job(id).options, options);
}

void lifo_goes_in_front(CaseContext& b) {
  const JobId first = b.add("a");
  const JobId second = b.add("b");
  const JobId third = b.add("c", {.lifo = true});
  EXPECT_THAT(b.ids(State::kWaiting), ElementsAre(third, first, second));
}

void priorities_are_ordered(CaseContext& b) {
  const JobId low = b.add("low", {.priority = 9});
  const JobId high = b.add("high", {.priority = 1});
  const JobId high_too = b.add("high", {.priority = 1});
  const JobId most = b.add("most", {.priority = (1U << 21) - 1});
  EXPECT_THAT(b.ids(State::kPrioritized), ElementsAre(high, high_too, low, most));
}

void positions_are_told(CaseContext& b) {
  const auto added = b.add_all({{.name = "a"}, {.name = "b"}, {.name = "c"}});
  ASSERT_EQ(added.size(), 3U);
  EXPECT_EQ(added[0].position, 0U);
  EXPECT_EQ(added[2].position, 2U);
}

void own_id_twice_answers_the_first(CaseContext& b) {
  const JobId id = b.add("first", {.id = JobId("mine")}, R"({"n":1})");
  const auto again =
      b.add_all({{.name = "second", .data = R"({"n":2})", .options = {.id = JobId("mine"), .priority = 3}}});
  ASSERT_EQ(again.size(), 1U);
  EXPECT_TRUE(again[0].duplicate);
  EXPECT_EQ(again[0].id, id);
  EXPECT_EQ(again[0].state, State::kWaiting);
  EXPECT_EQ(b.job(id).name, "first");
  EXPECT_EQ(b.job(id).data, R"({"n":1})");
  EXPECT_EQ(b.counts()[State::kWaiting], 1U);
  EXPECT_EQ(b.counts()[State::kPrioritized], 0U);
}

void own_id_twice_in_one_request(CaseContext& b) {
  const auto added = b.add_all(
      {{.name = "a", .options = {.id = JobId("x1")}}, {.name = "b", .options = {.id = JobId("x1")}}});
  ASSERT_EQ(added.size(), 2U);
  EXPECT_FALSE(added[0].duplicate);
  EXPECT_TRUE(added[1].duplicate);
  EXPECT_EQ(b.job(JobId("x1")).name, "a");
}

void own_id_of_a_finished_job(CaseContext& b) {
  (void)b.add("a", {.id = JobId("once")});
  EXPECT_TRUE(b.finish(b.take_one(), outcome::Completed{"1"}));
  const auto again = b.add_all({{.name = "a", .options = {.id = JobId("once")}}});
  ASSERT_EQ(again.size(), 1U);
  EXPECT_TRUE(again[0].duplicate);
  EXPECT_EQ(again[0].state, State::kCompleted);
  EXPECT_TRUE(b.take(1).empty());
}

void own_id_is_free_after_removal(CaseContext& b) {
  (void)b.add("a", {.id = JobId("again")});
  (void)b.must(b.store().remove(b.ref(JobId("again"))));
  const auto added = b.add_all({{.name = "b", .options = {.id = JobId("again")}}});
  ASSERT_EQ(added.size(), 1U);
  EXPECT_FALSE(added[0].duplicate);
  EXPECT_EQ(b.job(JobId("again")).name, "b");
}

void ids_are_per_queue(CaseContext& b) {
  (void)b.add("a", {.id = JobId("same")});
  const auto other = b.must(b.store().add(
      {.queue = QueueName("other"), .jobs = {{.name = "b", .options = {.id = JobId("same")}}}}));
  ASSERT_EQ(other.size(), 1U);
  EXPECT_FALSE(other[0].duplicate);
  EXPECT_EQ(b.job(JobId("same")).name, "a");
}

void store_ids_are_never_given_twice(CaseContext& b) {
  const JobId first = b.add();
  (void)b.must(b.store().remove(b.ref(first)));
  b.rig.crash_and_reopen();
  EXPECT_NE(b.add(), first);
}

void a_full_queue_refuses_the_whole_request(CaseContext& b) {
  (void)b.add();
  (void)b.add("p", {.priority = 2});
  AddRequest request = b.request({{.name = "a"}, {.name = "b"}});
  request.max_waiting = 3;
  EXPECT_EQ(b.error(b.store().add(request)), Errc::kQueueFull);
  EXPECT_EQ(b.counts().ready(), 2U);
  request.max_waiting = 4;
  EXPECT_EQ(b.must(b.store().add(request)).size(), 2U);
  EXPECT_EQ(b.counts().ready(), 4U);
}

void running_jobs_do_not_fill_a_queue(CaseContext& b) {
  (void)b.add();
  (void)b.take_one();
  AddRequest request = b.request({{.name = "a"}});
  request.max_waiting = 1;
  EXPECT_EQ(b.must(b.store().add(request)).size(), 1U);
}

void what_is_invalid_is_refused_whole(CaseContext& b) {
  const auto refused = [&](NewJob bad) {
    auto result = b.now(b.store().add(b.request({{.name = "good"}, std::move(bad)})));
    EXPECT_FALSE(result);
    if (result) return;
    EXPECT_TRUE(result.error().code == Errc::kInvalidArgument || result.error().code == Errc::kTooLarge);
  };
  refused({.name = ""});
  refused({.name = "a", .data = "{not json"});
  refused({.name = "a", .data = ""});
  refused({.name = "a", .options = {.priority = 1U << 21}});
  refused({.name = "a", .options = {.delay = Duration(-1)}});
  refused({.name = "a", .options = {.id = JobId("123")}});
  refused({.name = "a", .options = {.id = JobId("")}});
  refused({.name = std::string("a\0b", 3)});
  refused({.name = "a", .data = '"' + std::string(2 << 20, 'x') + '"'});
  EXPECT_EQ(b.counts(), Counts{});
}

void an_impossible_queue_name_is_refused(CaseContext& b) {
  for (const std::string& name : {std::string(), std::string(481, 'a'), std::string("\xff")}) {
    EXPECT_EQ(b.error(b.store().add({.queue = QueueName(name), .jobs = {{.name = "a"}}})),
              Errc::kInvalidArgument)
        << name;
  }
}

/// Whatever Bull takes as a queue's name is one here.
void any_other_queue_name_is_taken(CaseContext& b) {
  for (const std::string& name :
       {std::string("a:b"), std::string("a/b"), std::string(".."), std::string("a b"), std::string("\n"),
        std::string("메일"), std::string(480, 'a')}) {
    const QueueName queue(name);
    const auto added = b.must(b.store().add({.queue = queue, .jobs = {{.name = "a"}}}));
    ASSERT_EQ(added.size(), 1U) << name;
    EXPECT_EQ(b.must(b.store().counts(queue)).ready(), 1U) << name;
    EXPECT_EQ(b.must(b.store().get({queue, added.front().id})).queue, queue) << name;
  }
}

void nothing_to_add(CaseContext& b) {
  EXPECT_THAT(b.must(b.store().add(b.request({}))), IsEmpty());
  EXPECT_EQ(b.counts(), Counts{});
}

void a_large_batch(CaseContext& b) {
  std::vector<NewJob> jobs(2000, NewJob{.name = "many"});
  const auto added = b.add_all(jobs);
  ASSERT_EQ(added.size(), 2000U);
  EXPECT_EQ(b.counts()[State::kWaiting], 2000U);
  EXPECT_EQ(b.take_one().job.id, added.front().id);
}

void a_megabyte_of_data(CaseContext& b) {
  const std::string data = '"' + std::string((1 << 20) - 2, 'x') + '"';
  EXPECT_EQ(b.job(b.add("big", {}, data)).data, data);
}

}  // namespace

std::vector<Case> adding_cases() {
  constexpr const char* kTheme = "Adding";
  return {
      {kTheme, "AStandardJobWaitsWithAllThatWasGiven", standard},
      {kTheme, "EachKindLandsInItsPlace", each_kind_lands_in_its_place},
      {kTheme, "EveryOptionIsKept", every_option_is_kept, {Capability::kEveryOption}},
      {kTheme, "LifoGoesInFront", lifo_goes_in_front},
      {kTheme, "PrioritiesAreOrderedAndFairWithinOne", priorities_are_ordered},
      {kTheme, "PositionsAreTold", positions_are_told},
      {kTheme, "AnOwnIdTwiceAnswersTheFirstJob", own_id_twice_answers_the_first},
      {kTheme, "AnOwnIdTwiceInOneRequestIsOneJob", own_id_twice_in_one_request},
      {kTheme, "AnOwnIdOfAFinishedJobIsADuplicate", own_id_of_a_finished_job},
      {kTheme, "AnOwnIdIsFreeAfterRemoval", own_id_is_free_after_removal},
      {kTheme, "IdsArePerQueue", ids_are_per_queue},
      {kTheme, "TheStoresOwnIdsAreNeverGivenTwice", store_ids_are_never_given_twice},
      {kTheme, "AFullQueueRefusesTheWholeRequest", a_full_queue_refuses_the_whole_request},
      {kTheme, "RunningJobsDoNotFillAQueue", running_jobs_do_not_fill_a_queue},
      {kTheme, "WhatIsInvalidIsRefusedWhole", what_is_invalid_is_refused_whole},
      {kTheme, "AnImpossibleQueueNameIsRefused", an_impossible_queue_name_is_refused},
      {kTheme, "AnyOtherQueueNameIsTaken", any_other_queue_name_is_taken},
      {kTheme, "NothingToAddIsNoError", nothing_to_add},
      {kTheme, "ALargeBatchIsOneStep", a_large_batch},
      {kTheme, "AMegabyteOfDataComesBackByteForByte", a_megabyte_of_data},
  };
}

}  // namespace gaur::conformance
