// Taking with an AdmissionFilter (core/needs.hpp).
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t kGB = 1'000'000'000;

TakeReply take(CaseContext& t, std::uint32_t at_most, const AdmissionFilter& filter) {
  return t.take_filtered(at_most, filter);
}

std::vector<JobId> ids(const TakeReply& reply) {
  std::vector<JobId> found;
  for (const Taken& taken : reply.taken) found.push_back(taken.job.id);
  return found;
}

void takes_fitting_jobs_in_order(CaseContext& t) {
  const JobId one = t.add("small");
  const JobId two = t.add("small");
  const auto reply = take(t, 9, host_filter());
  EXPECT_THAT(ids(reply), ElementsAre(one, two));
  EXPECT_FALSE(reply.blocked);
  EXPECT_EQ(reply.taken[0].function, FunctionName("small"));
}

void stops_at_first_job_that_does_not_fit(CaseContext& t) {
  const JobId first = t.add("small");
  t.advance(Duration(10));
  const JobId big = t.add("big");
  const Time added = t.fixture.clock().wall();
  const JobId last = t.add("small");
  t.advance(Duration(10));
  const auto reply = take(t, 9, host_filter());
  EXPECT_THAT(ids(reply), ElementsAre(first));
  ASSERT_TRUE(reply.blocked);
  EXPECT_EQ(reply.blocked->id, big);
  EXPECT_EQ(reply.blocked->function, FunctionName("big"));
  EXPECT_EQ(reply.blocked->needs, host_filter().needs[FunctionName("big")]);
  EXPECT_EQ(reply.blocked->waiting_since, added);
  EXPECT_TRUE(reply.next.more);
  EXPECT_THAT(t.ids(State::kWaiting), ElementsAre(big, last));
}

void blocks_on_memory(CaseContext& t) {
  (void)t.add("small");
  AdmissionFilter filter = host_filter();
  filter.free = {.cores = 4, .memory_bytes = kGB - 1};
  const auto reply = take(t, 9, filter);
  EXPECT_THAT(ids(reply), IsEmpty());
  EXPECT_TRUE(reply.blocked);
}

void backfills_nothing_without_spare_capacity(CaseContext& t) {
  const JobId first = t.add("small");
  const JobId big = t.add("big");
  const JobId small = t.add("small");
  AdmissionFilter filter = host_filter();
  filter.backfill = true;  // no spare capacity: the head needs every core
  const auto reply = take(t, 9, filter);
  EXPECT_THAT(ids(reply), ElementsAre(first));
  ASSERT_TRUE(reply.blocked);
  EXPECT_EQ(reply.blocked->id, big);
  EXPECT_THAT(t.ids(State::kWaiting), ElementsAre(big, small));
}

void backfills_jobs_that_fit_spare_capacity(CaseContext& t) {
  (void)t.add("small");
  const JobId big = t.add("big");
  const JobId passes = t.add("small");
  const JobId stays = t.add("small");
  AdmissionFilter filter = host_filter();
  filter.backfill = true;
  filter.spare = {.cores = 1, .memory_bytes = 2 * kGB};
  const auto reply = take(t, 9, filter);
  ASSERT_EQ(reply.taken.size(), 2U);
  EXPECT_EQ(reply.taken[1].job.id, passes);
  EXPECT_THAT(t.ids(State::kWaiting), ElementsAre(big, stays));
}

void backfills_jobs_that_end_before_head(CaseContext& t) {
  (void)t.add("small");
  const JobId big = t.add("big");
  const JobId quick = t.add("quick");
  AdmissionFilter filter = host_filter();
  filter.backfill = true;
  const auto reply = take(t, 9, filter);
  ASSERT_EQ(reply.taken.size(), 2U);
  EXPECT_EQ(reply.taken[1].job.id, quick);
  EXPECT_THAT(t.ids(State::kWaiting), ElementsAre(big));
}

void backfills_only_jobs_that_fit_free_capacity(CaseContext& t) {
  (void)t.add_all({{.name = "small"}, {.name = "small"}, {.name = "small"}, {.name = "big"}});
  (void)t.add_all({{.name = "quick"}, {.name = "quick"}});
  AdmissionFilter filter = host_filter();
  filter.backfill = true;
  EXPECT_EQ(take(t, 9, filter).taken.size(), 4U);  // three small and one quick use all cores
}

void reports_first_blocked_job_as_head(CaseContext& t) {
  (void)t.add("small");
  const JobId first_big = t.add("big");
  (void)t.add("big");
  AdmissionFilter filter = host_filter();
  filter.backfill = true;
  const auto reply = take(t, 9, filter);
  ASSERT_TRUE(reply.blocked);
  EXPECT_EQ(reply.blocked->id, first_big);
}

void skips_unavailable_and_unserved_functions(CaseContext& t) {
  const JobId shut = t.add("shut");
  const JobId unknown = t.add("unserved");
  const JobId small = t.add("small");
  const auto reply = take(t, 9, host_filter());
  EXPECT_THAT(ids(reply), ElementsAre(small));
  EXPECT_FALSE(reply.blocked);
  EXPECT_THAT(t.ids(State::kWaiting), ElementsAre(shut, unknown));
}

void uses_default_needs_for_unlisted_functions(CaseContext& t) {
  const JobId id = t.add("anything");
  AdmissionFilter filter = host_filter();
  filter.default_needs = Needs{.cores = 2, .memory_bytes = kGB};
  EXPECT_THAT(ids(take(t, 9, filter)), ElementsAre(id));
}

void takes_at_most_requested_number(CaseContext& t) {
  (void)t.add_all({{.name = "small"}, {.name = "small"}, {.name = "big"}});
  const auto reply = take(t, 2, host_filter());
  EXPECT_EQ(reply.taken.size(), 2U);
  EXPECT_FALSE(reply.blocked) << "the scan ends when enough jobs are taken";
}

void reads_function_from_data_field(CaseContext& t) {
  const JobId nested = t.add("__default__", {}, R"({"data":{"func":"small"}})");
  const JobId absent = t.add("quick", {}, R"({"other":1})");
  AdmissionFilter filter = host_filter();
  filter.function_field = "data.func";
  const auto reply = take(t, 9, filter);
  ASSERT_THAT(ids(reply), ElementsAre(nested, absent));
  EXPECT_EQ(reply.taken[0].function, FunctionName("small"));
  EXPECT_EQ(reply.taken[1].function, FunctionName("quick")) << "without the field, the name is the function";
}

void follows_order_of_dialect(CaseContext& t) {
  const JobId urgent = t.add("small", {.priority = 1});
  const JobId plain = t.add("small");
  const auto reply = take(t, 9, host_filter());
  if (t.semantics.zero_priority == Semantics::ZeroPriority::kBeforeAll) {
    EXPECT_THAT(ids(reply), ElementsAre(plain, urgent));
  } else {
    EXPECT_THAT(ids(reply), ElementsAre(urgent, plain));
  }
}

}  // namespace

std::vector<Case> admission_cases() {
  constexpr const char* kTheme = "Admission";
  return {
      {kTheme, "TakesFittingJobsInOrder", takes_fitting_jobs_in_order},
      {kTheme, "StopsAtFirstJobThatDoesNotFit", stops_at_first_job_that_does_not_fit},
      {kTheme, "BlocksOnMemory", blocks_on_memory},
      {kTheme, "BackfillsNothingWithoutSpareCapacity", backfills_nothing_without_spare_capacity},
      {kTheme, "BackfillsJobsThatFitSpareCapacity", backfills_jobs_that_fit_spare_capacity},
      {kTheme, "BackfillsJobsThatEndBeforeHead", backfills_jobs_that_end_before_head},
      {kTheme, "BackfillsOnlyJobsThatFitFreeCapacity", backfills_only_jobs_that_fit_free_capacity},
      {kTheme, "ReportsFirstBlockedJobAsHead", reports_first_blocked_job_as_head},
      {kTheme, "SkipsUnavailableAndUnservedFunctions", skips_unavailable_and_unserved_functions},
      {kTheme, "UsesDefaultNeedsForUnlistedFunctions", uses_default_needs_for_unlisted_functions},
      {kTheme, "TakesAtMostRequestedNumber", takes_at_most_requested_number},
      {kTheme, "ReadsFunctionFromDataField", reads_function_from_data_field},
      {kTheme, "FollowsOrderOfDialect", follows_order_of_dialect},
  };
}

}  // namespace gaur::conformance
