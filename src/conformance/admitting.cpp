// Taking by needs, as core/needs.hpp words it.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t kGB = 1'000'000'000;

/// A box of 4 cores and 8 GB; small needs 1 and 1, big 4 and 6, quick as small but ends before any head.
AdmissionFilter box() {
  AdmissionFilter admit{.free = {.cores = 4, .memory_bytes = 8 * kGB}};
  admit.needs[FunctionName("small")] = {.cores = 1, .memory_bytes = kGB};
  admit.needs[FunctionName("big")] = {.cores = 4, .memory_bytes = 6 * kGB};
  admit.needs[FunctionName("quick")] = {.cores = 1, .memory_bytes = kGB, .ends_before_head = true};
  admit.needs[FunctionName("shut")] = {.cores = 1, .memory_bytes = kGB, .unavailable = true};
  return admit;
}

TakeReply take(CaseContext& b, std::uint32_t at_most, const AdmissionFilter& admit) {
  return b.take_by_needs(at_most, admit);
}

std::vector<JobId> ids(const TakeReply& reply) {
  std::vector<JobId> found;
  for (const Taken& taken : reply.taken) found.push_back(taken.job.id);
  return found;
}

void what_fits_is_taken_in_order(CaseContext& b) {
  const JobId one = b.add("small");
  const JobId two = b.add("small");
  const auto reply = take(b, 9, box());
  EXPECT_THAT(ids(reply), ElementsAre(one, two));
  EXPECT_FALSE(reply.blocked);
  EXPECT_EQ(reply.taken[0].function, FunctionName("small"));
}

void the_walk_ends_at_the_head(CaseContext& b) {
  const JobId first = b.add("small");
  b.advance(Duration(10));
  const JobId big = b.add("big");
  const Time added = b.rig.clock().wall();
  const JobId last = b.add("small");
  b.advance(Duration(10));
  const auto reply = take(b, 9, box());
  EXPECT_THAT(ids(reply), ElementsAre(first));
  ASSERT_TRUE(reply.blocked);
  EXPECT_EQ(reply.blocked->id, big);
  EXPECT_EQ(reply.blocked->function, FunctionName("big"));
  EXPECT_EQ(reply.blocked->needs, box().needs[FunctionName("big")]);
  EXPECT_EQ(reply.blocked->waiting_since, added);
  EXPECT_TRUE(reply.next.more);
  EXPECT_THAT(b.ids(State::kWaiting), ElementsAre(big, last));
}

void memory_blocks_as_cores_do(CaseContext& b) {
  (void)b.add("small");
  AdmissionFilter admit = box();
  admit.free = {.cores = 4, .memory_bytes = kGB - 1};
  const auto reply = take(b, 9, admit);
  EXPECT_THAT(ids(reply), IsEmpty());
  EXPECT_TRUE(reply.blocked);
}

void nothing_passes_a_head_into_its_room(CaseContext& b) {
  const JobId first = b.add("small");
  const JobId big = b.add("big");
  const JobId small = b.add("small");
  AdmissionFilter admit = box();
  admit.backfill = true;  // no spare: every core is the head's
  const auto reply = take(b, 9, admit);
  EXPECT_THAT(ids(reply), ElementsAre(first));
  ASSERT_TRUE(reply.blocked);
  EXPECT_EQ(reply.blocked->id, big);
  EXPECT_THAT(b.ids(State::kWaiting), ElementsAre(big, small));
}

void what_fits_the_spare_room_passes(CaseContext& b) {
  (void)b.add("small");
  const JobId big = b.add("big");
  const JobId passes = b.add("small");
  const JobId stays = b.add("small");
  AdmissionFilter admit = box();
  admit.backfill = true;
  admit.spare = {.cores = 1, .memory_bytes = 2 * kGB};
  const auto reply = take(b, 9, admit);
  ASSERT_EQ(reply.taken.size(), 2U);
  EXPECT_EQ(reply.taken[1].job.id, passes);
  EXPECT_THAT(b.ids(State::kWaiting), ElementsAre(big, stays));
}

void what_ends_before_the_head_passes(CaseContext& b) {
  (void)b.add("small");
  const JobId big = b.add("big");
  const JobId quick = b.add("quick");
  AdmissionFilter admit = box();
  admit.backfill = true;
  const auto reply = take(b, 9, admit);
  ASSERT_EQ(reply.taken.size(), 2U);
  EXPECT_EQ(reply.taken[1].job.id, quick);
  EXPECT_THAT(b.ids(State::kWaiting), ElementsAre(big));
}

void what_passes_must_fit_the_free_room(CaseContext& b) {
  (void)b.add_all({{.name = "small"}, {.name = "small"}, {.name = "small"}, {.name = "big"}});
  (void)b.add_all({{.name = "quick"}, {.name = "quick"}});
  AdmissionFilter admit = box();
  admit.backfill = true;
  EXPECT_EQ(take(b, 9, admit).taken.size(), 4U);  // three small, one quick: then all cores are taken
}

void only_the_first_that_does_not_fit_is_the_head(CaseContext& b) {
  (void)b.add("small");
  const JobId first_big = b.add("big");
  (void)b.add("big");
  AdmissionFilter admit = box();
  admit.backfill = true;
  const auto reply = take(b, 9, admit);
  ASSERT_TRUE(reply.blocked);
  EXPECT_EQ(reply.blocked->id, first_big);
}

void closed_and_unserved_functions_are_skipped(CaseContext& b) {
  const JobId shut = b.add("shut");
  const JobId unknown = b.add("nobody-serves-this");
  const JobId small = b.add("small");
  const auto reply = take(b, 9, box());
  EXPECT_THAT(ids(reply), ElementsAre(small));
  EXPECT_FALSE(reply.blocked);
  EXPECT_THAT(b.ids(State::kWaiting), ElementsAre(shut, unknown));
}

void otherwise_serves_unknown_functions(CaseContext& b) {
  const JobId id = b.add("anything");
  AdmissionFilter admit = box();
  admit.default_needs = Needs{.cores = 2, .memory_bytes = kGB};
  EXPECT_THAT(ids(take(b, 9, admit)), ElementsAre(id));
}

void no_more_than_asked(CaseContext& b) {
  (void)b.add_all({{.name = "small"}, {.name = "small"}, {.name = "big"}});
  const auto reply = take(b, 2, box());
  EXPECT_EQ(reply.taken.size(), 2U);
  EXPECT_FALSE(reply.blocked) << "the walk ends when enough was taken";
}

void the_function_is_a_field_of_the_data(CaseContext& b) {
  const JobId nested = b.add("__default__", {}, R"({"data":{"func":"small"}})");
  const JobId absent = b.add("quick", {}, R"({"other":1})");
  AdmissionFilter admit = box();
  admit.function_field = "data.func";
  const auto reply = take(b, 9, admit);
  ASSERT_THAT(ids(reply), ElementsAre(nested, absent));
  EXPECT_EQ(reply.taken[0].function, FunctionName("small"));
  EXPECT_EQ(reply.taken[1].function, FunctionName("quick")) << "without the field it is the name";
}

void priorities_come_after_what_waits(CaseContext& b) {
  const JobId urgent = b.add("small", {.priority = 1});
  const JobId plain = b.add("small");
  const auto reply = take(b, 9, box());
  if (b.semantics.zero_priority == Semantics::ZeroPriority::kBeforeAll) {
    EXPECT_THAT(ids(reply), ElementsAre(plain, urgent));
  } else {
    EXPECT_THAT(ids(reply), ElementsAre(urgent, plain));
  }
}

}  // namespace

std::vector<Case> admitting_cases() {
  constexpr const char* kTheme = "TakingByNeeds";
  return {
      {kTheme, "TakesWhatFitsInOrder", what_fits_is_taken_in_order},
      {kTheme, "EndsAtTheFirstThatDoesNotFit", the_walk_ends_at_the_head},
      {kTheme, "IsBlockedByMemoryAsByCores", memory_blocks_as_cores_do},
      {kTheme, "LetsNothingPassIntoTheHeadsRoom", nothing_passes_a_head_into_its_room},
      {kTheme, "LetsPassWhatFitsTheSpareRoom", what_fits_the_spare_room_passes},
      {kTheme, "LetsPassWhatEndsBeforeTheHead", what_ends_before_the_head_passes},
      {kTheme, "LetsPassOnlyWhatFitsTheFreeRoom", what_passes_must_fit_the_free_room},
      {kTheme, "NamesTheFirstHeadOnly", only_the_first_that_does_not_fit_is_the_head},
      {kTheme, "SkipsClosedAndUnservedFunctions", closed_and_unserved_functions_are_skipped},
      {kTheme, "ServesUnknownFunctionsWhereTold", otherwise_serves_unknown_functions},
      {kTheme, "TakesNoMoreThanAsked", no_more_than_asked},
      {kTheme, "ReadsTheFunctionFromAFieldOfTheData", the_function_is_a_field_of_the_data},
      {kTheme, "FollowsTheOrderOfHandingOut", priorities_come_after_what_waits},
  };
}

}  // namespace gaur::conformance
