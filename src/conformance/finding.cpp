// Finding jobs that can start behind any number of jobs that cannot.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t kGB = 1'000'000'000;

/// Repeats the request, at most 20 times, until it takes a job or the store has scanned all ready jobs.
std::vector<JobId> take_on(CaseContext& t, std::uint32_t at_most, const AdmissionFilter& filter) {
  TakeReply reply = t.take_filtered(at_most, filter);
  for (int tries = 1; reply.taken.empty() && reply.next.more && tries < 20; ++tries)
    reply = t.take_filtered(at_most, filter);
  std::vector<JobId> found;
  for (const Taken& taken : reply.taken) found.push_back(taken.job.id);
  return found;
}

std::vector<JobId> add_many(CaseContext& t, std::size_t count, const NewJob& job) {
  std::vector<JobId> added;
  for (const Added& one : t.add_all(std::vector<NewJob>(count, job))) added.push_back(one.id);
  return added;
}

void finds_job_behind_many_that_cannot_start(CaseContext& t) {
  const auto skipped = add_many(t, 100, {.name = "unserved"});
  (void)add_many(t, 100, {.name = "shut"});
  const JobId first = t.add("small");
  (void)add_many(t, 100, {.name = "unserved"});
  const JobId second = t.add("quick");
  EXPECT_THAT(take_on(t, 1, host_filter()), ElementsAre(first));
  EXPECT_THAT(take_on(t, 1, host_filter()), ElementsAre(second));
  EXPECT_THAT(take_on(t, 1, host_filter()), IsEmpty());
  const auto waiting = t.ids(State::kWaiting);
  ASSERT_EQ(waiting.size(), 300U);
  EXPECT_EQ(waiting.front(), skipped.front()) << "skipped jobs keep their place";
}

void keeps_order_behind_many_that_cannot_start(CaseContext& t) {
  (void)add_many(t, 100, {.name = "unserved"});
  const JobId one = t.add("small");
  (void)add_many(t, 100, {.name = "shut"});
  const JobId two = t.add("quick");
  const JobId three = t.add("small");
  (void)add_many(t, 100, {.name = "shut"});
  const JobId four = t.add("quick");
  std::vector<JobId> order;
  for (int i = 0; i < 4; ++i) {
    for (const JobId& id : take_on(t, 1, host_filter())) order.push_back(id);
  }
  EXPECT_THAT(order, ElementsAre(one, two, three, four));
}

void backfills_past_many_that_do_not_fit(CaseContext& t) {
  (void)t.add("small");
  (void)add_many(t, 100, {.name = "big"});
  const JobId quick = t.add("quick");
  AdmissionFilter filter = host_filter();
  filter.backfill = true;
  std::vector<JobId> found = take_on(t, 9, filter);
  ASSERT_FALSE(found.empty());
  if (found.back() != quick) {
    filter.free.cores -= 1;
    found = take_on(t, 9, filter);
  }
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.back(), quick);
}

void finds_prioritized_job_behind_many_that_cannot_start(CaseContext& t) {
  (void)add_many(t, 100, {.name = "unserved", .options = {.priority = 1}});
  (void)add_many(t, 100, {.name = "unserved"});
  const JobId last = t.add("small", {.priority = 3});
  const JobId first = t.add("quick", {.priority = 2});
  EXPECT_THAT(take_on(t, 1, host_filter()), ElementsAre(first));
  EXPECT_THAT(take_on(t, 1, host_filter()), ElementsAre(last));
}

void takes_job_once_its_function_is_served(CaseContext& t) {
  const auto early = add_many(t, 100, {.name = "late-served"});
  EXPECT_THAT(take_on(t, 9, host_filter()), IsEmpty());
  AdmissionFilter filter = host_filter();
  filter.needs[FunctionName("late-served")] = {.cores = 1, .memory_bytes = kGB};
  EXPECT_THAT(take_on(t, 1, filter), ElementsAre(early.front()));
}

void follows_updated_data_to_another_function(CaseContext& t) {
  AdmissionFilter filter = host_filter();
  filter.function_field = "func";
  const auto many = add_many(t, 100, {.name = "x", .data = R"({"func":"unserved"})"});
  EXPECT_THAT(take_on(t, 9, filter), IsEmpty());
  EXPECT_TRUE(t.now(t.store().update_data({t.queue, many[80]}, R"({"func":"small"})")));
  EXPECT_THAT(take_on(t, 9, filter), ElementsAre(many[80]));
}

void lists_functions_of_ready_jobs(CaseContext& t) {
  const auto waiting = [&] { return t.must(t.store().waiting_functions(t.queue, "", 100)); };
  EXPECT_THAT(waiting(), IsEmpty());
  (void)add_many(t, 3, {.name = "unserved"});
  (void)add_many(t, 2, {.name = "another-unserved", .options = {.priority = 5}});
  (void)t.add("unserved", {.delay = Duration(60'000)});
  EXPECT_THAT(take_on(t, 9, host_filter()), IsEmpty());
  EXPECT_THAT(waiting(), ElementsAre(WaitingFunction{FunctionName("another-unserved"), 2, true},
                                     WaitingFunction{FunctionName("unserved"), 3, true}));
  for (const JobId& id : t.ids(State::kPrioritized)) EXPECT_TRUE(t.now(t.store().remove(t.ref(id))));
  EXPECT_THAT(take_on(t, 9, host_filter()), IsEmpty());
  EXPECT_THAT(waiting(), ElementsAre(WaitingFunction{FunctionName("unserved"), 3, true}));
}

}  // namespace

std::vector<Case> finding_cases() {
  constexpr const char* kTheme = "Finding";
  return {
      {kTheme, "FindsJobBehindManyThatCannotStart", finds_job_behind_many_that_cannot_start},
      {kTheme, "KeepsOrderBehindManyThatCannotStart", keeps_order_behind_many_that_cannot_start},
      {kTheme, "BackfillsPastManyThatDoNotFit", backfills_past_many_that_do_not_fit},
      {kTheme, "FindsPrioritizedJobBehindManyThatCannotStart",
       finds_prioritized_job_behind_many_that_cannot_start},
      {kTheme, "TakesJobOnceItsFunctionIsServed", takes_job_once_its_function_is_served},
      {kTheme, "FollowsUpdatedDataToAnotherFunction", follows_updated_data_to_another_function},
      {kTheme, "ListsFunctionsOfReadyJobs", lists_functions_of_ready_jobs},
  };
}

}  // namespace gaur::conformance
