// Jobs that may start are found behind any number of jobs that may not.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t kGB = 1'000'000'000;

/// 4 cores and 8 GB are free; "shut" is closed, functions that are not listed are not served.
AdmissionFilter box() {
  AdmissionFilter admit{.free = {.cores = 4, .memory_bytes = 8 * kGB}};
  admit.needs[FunctionName("small")] = {.cores = 1, .memory_bytes = kGB};
  admit.needs[FunctionName("big")] = {.cores = 4, .memory_bytes = 6 * kGB};
  admit.needs[FunctionName("quick")] = {.cores = 1, .memory_bytes = kGB, .ends_before_head = true};
  admit.needs[FunctionName("shut")] = {.cores = 1, .memory_bytes = kGB, .unavailable = true};
  return admit;
}

/// Turns until something was taken or the store has looked at the whole line, at most 20.
std::vector<JobId> take_on(CaseContext& b, std::uint32_t at_most, const AdmissionFilter& admit) {
  TakeReply reply = b.take_by_needs(at_most, admit);
  for (int turns = 1; reply.taken.empty() && reply.next.more && turns < 20; ++turns)
    reply = b.take_by_needs(at_most, admit);
  std::vector<JobId> found;
  for (const Taken& taken : reply.taken) found.push_back(taken.job.id);
  return found;
}

std::vector<JobId> add_many(CaseContext& b, std::size_t count, const NewJob& job) {
  std::vector<JobId> added;
  for (const Added& one : b.add_all(std::vector<NewJob>(count, job))) added.push_back(one.id);
  return added;
}

void a_job_is_found_behind_many_that_cannot_start(CaseContext& b) {
  const auto skipped = add_many(b, 100, {.name = "nobody-serves-this"});
  (void)add_many(b, 100, {.name = "shut"});
  const JobId first = b.add("small");
  (void)add_many(b, 100, {.name = "nobody-serves-this"});
  const JobId second = b.add("quick");
  EXPECT_THAT(take_on(b, 1, box()), ElementsAre(first));
  EXPECT_THAT(take_on(b, 1, box()), ElementsAre(second));
  EXPECT_THAT(take_on(b, 1, box()), IsEmpty());
  const auto waiting = b.ids(State::kWaiting);
  ASSERT_EQ(waiting.size(), 300U);
  EXPECT_EQ(waiting.front(), skipped.front()) << "what was skipped keeps its place";
}

void what_is_found_behind_many_keeps_the_order(CaseContext& b) {
  (void)add_many(b, 100, {.name = "nobody-serves-this"});
  const JobId one = b.add("small");
  (void)add_many(b, 100, {.name = "shut"});
  const JobId two = b.add("quick");
  const JobId three = b.add("small");
  (void)add_many(b, 100, {.name = "shut"});
  const JobId four = b.add("quick");
  std::vector<JobId> order;
  for (int i = 0; i < 4; ++i) {
    for (const JobId& id : take_on(b, 1, box())) order.push_back(id);
  }
  EXPECT_THAT(order, ElementsAre(one, two, three, four));
}

void a_job_passes_many_that_need_too_much(CaseContext& b) {
  (void)b.add("small");
  (void)add_many(b, 100, {.name = "big"});
  const JobId quick = b.add("quick");
  AdmissionFilter admit = box();
  admit.backfill = true;
  std::vector<JobId> found = take_on(b, 9, admit);
  ASSERT_FALSE(found.empty());
  if (found.back() != quick) {
    admit.free.cores -= 1;
    found = take_on(b, 9, admit);
  }
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.back(), quick);
}

void a_prioritized_job_is_found_behind_many(CaseContext& b) {
  (void)add_many(b, 100, {.name = "nobody-serves-this", .options = {.priority = 1}});
  (void)add_many(b, 100, {.name = "nobody-serves-this"});
  const JobId last = b.add("small", {.priority = 3});
  const JobId first = b.add("quick", {.priority = 2});
  EXPECT_THAT(take_on(b, 1, box()), ElementsAre(first));
  EXPECT_THAT(take_on(b, 1, box()), ElementsAre(last));
}

void a_job_starts_once_its_function_is_served(CaseContext& b) {
  const auto early = add_many(b, 100, {.name = "late-served"});
  EXPECT_THAT(take_on(b, 9, box()), IsEmpty());
  AdmissionFilter admit = box();
  admit.needs[FunctionName("late-served")] = {.cores = 1, .memory_bytes = kGB};
  EXPECT_THAT(take_on(b, 1, admit), ElementsAre(early.front()));
}

void new_data_name_another_function(CaseContext& b) {
  AdmissionFilter admit = box();
  admit.function_field = "func";
  const auto many = add_many(b, 100, {.name = "x", .data = R"({"func":"nobody-serves-this"})"});
  EXPECT_THAT(take_on(b, 9, admit), IsEmpty());
  EXPECT_TRUE(b.now(b.store().update_data({b.queue, many[80]}, R"({"func":"small"})")));
  EXPECT_THAT(take_on(b, 9, admit), ElementsAre(many[80]));
}

void waiting_functions_are_known(CaseContext& b) {
  const auto waiting = [&] { return b.must(b.store().waiting_functions(b.queue, "", 100)); };
  EXPECT_THAT(waiting(), IsEmpty());
  (void)add_many(b, 3, {.name = "nobody-serves-this"});
  (void)add_many(b, 2, {.name = "neither-this", .options = {.priority = 5}});
  (void)b.add("nobody-serves-this", {.delay = Duration(60'000)});
  EXPECT_THAT(take_on(b, 9, box()), IsEmpty());
  EXPECT_THAT(waiting(), ElementsAre(WaitingFunction{FunctionName("neither-this"), 2, true},
                                     WaitingFunction{FunctionName("nobody-serves-this"), 3, true}));
  for (const JobId& id : b.ids(State::kPrioritized)) EXPECT_TRUE(b.now(b.store().remove(b.ref(id))));
  EXPECT_THAT(take_on(b, 9, box()), IsEmpty());
  EXPECT_THAT(waiting(), ElementsAre(WaitingFunction{FunctionName("nobody-serves-this"), 3, true}));
}

}  // namespace

std::vector<Case> finding_cases() {
  constexpr const char* kTheme = "Finding";
  return {
      {kTheme, "FindsAJobBehindManyThatCannotStart", a_job_is_found_behind_many_that_cannot_start},
      {kTheme, "KeepsTheOrderOfWhatIsFoundBehindMany", what_is_found_behind_many_keeps_the_order},
      {kTheme, "PassesManyThatNeedTooMuch", a_job_passes_many_that_need_too_much},
      {kTheme, "FindsAPrioritizedJobBehindMany", a_prioritized_job_is_found_behind_many},
      {kTheme, "StartsAJobOnceItsFunctionIsServed", a_job_starts_once_its_function_is_served},
      {kTheme, "FollowsNewDataToAnotherFunction", new_data_name_another_function},
      {kTheme, "KnowsForWhichFunctionsJobsWait", waiting_functions_are_known},
  };
}

}  // namespace gaur::conformance
