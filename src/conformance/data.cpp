// Data, progress and logs of a job.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

void is_replaced_byte_for_byte(CaseContext& t) {
  const JobId id = t.add("a", {}, R"({"n":1})");
  (void)t.must(t.store().update_data(t.ref(id), R"({"n": 2,  "ü":"한"})"));
  EXPECT_EQ(t.job(id).data, R"({"n": 2,  "ü":"한"})") << "byte for byte";
  EXPECT_FALSE(t.now(t.store().update_data(t.ref(id), "{no json")));
  EXPECT_EQ(t.job(id).data, R"({"n": 2,  "ü":"한"})");
  EXPECT_EQ(t.error(t.store().update_data(t.ref(JobId("not-here")), "{}")), Errc::kNotFound);
}

void progress_requires_token_of_current_run(CaseContext& t) {
  const JobId id = t.add();
  const Taken taken = t.take_one();
  (void)t.must(t.store().update_progress(t.ref(id), taken.token, R"({"percent":50})"));
  EXPECT_EQ(t.job(id).progress, R"({"percent":50})");
  EXPECT_EQ(t.error(t.store().update_progress(t.ref(id), LockToken("someone"), "1")), Errc::kLockMismatch);
  EXPECT_EQ(t.job(id).progress, R"({"percent":50})");
  EXPECT_TRUE(t.finish(taken, outcome::Completed{}));
  EXPECT_EQ(t.error(t.store().update_progress(t.ref(id), taken.token, "99")), Errc::kLockMissing);
  EXPECT_EQ(t.job(id).progress, R"({"percent":50})");
}

void progress_needs_no_token(CaseContext& t) {
  const JobId id = t.add();
  (void)t.must(t.store().update_progress(t.ref(id), std::nullopt, "7"));
  EXPECT_EQ(t.job(id).progress, "7");
  EXPECT_EQ(t.error(t.store().update_progress(t.ref(JobId("not-here")), std::nullopt, "1")), Errc::kNotFound);
}

void logs_keep_their_order(CaseContext& t) {
  const JobId id = t.add();
  EXPECT_EQ(t.must(t.store().append_logs(t.ref(id), {"one", "two"})), 2U);
  EXPECT_EQ(t.must(t.store().append_logs(t.ref(id), {"three"})), 3U);
  const LogPage all = t.must(t.store().logs(t.ref(id), 0, 100));
  EXPECT_THAT(all.lines, ElementsAre("one", "two", "three"));
  EXPECT_EQ(all.total, 3U);
  const LogPage middle = t.must(t.store().logs(t.ref(id), 1, 1));
  EXPECT_THAT(middle.lines, ElementsAre("two"));
  EXPECT_EQ(middle.total, 3U);
  EXPECT_EQ(t.error(t.store().append_logs(t.ref(JobId("not-here")), {"x"})), Errc::kNotFound);
}

void keeps_newest_logs(CaseContext& t) {
  const JobId id = t.add("a", {.keep_logs = 3});
  EXPECT_EQ(t.must(t.store().append_logs(t.ref(id), {"1", "2"})), 2U);
  EXPECT_EQ(t.must(t.store().append_logs(t.ref(id), {"3", "4", "5"})), 3U);
  EXPECT_THAT(t.must(t.store().logs(t.ref(id), 0, 10)).lines, ElementsAre("3", "4", "5"));
  const JobId none = t.add("b", {.keep_logs = 0});
  EXPECT_EQ(t.must(t.store().append_logs(t.ref(none), {"1"})), 0U);
  EXPECT_THAT(t.must(t.store().logs(t.ref(none), 0, 10)).lines, IsEmpty());
}

void survives_reopening(CaseContext& t) {
  const JobId id = t.add();
  (void)t.must(t.store().append_logs(t.ref(id), {"한글 로그"}));
  (void)t.must(t.store().update_progress(t.ref(id), std::nullopt, "12"));
  (void)t.must(t.store().update_data(t.ref(id), "[1]"));
  t.fixture.crash_and_reopen();
  EXPECT_THAT(t.must(t.store().logs(t.ref(id), 0, 10)).lines, ElementsAre("한글 로그"));
  EXPECT_EQ(t.job(id).progress, "12");
  EXPECT_EQ(t.job(id).data, "[1]");
}

}  // namespace

std::vector<Case> data_cases() {
  constexpr const char* kTheme = "Data";
  return {
      {kTheme, "IsReplacedByteForByte", is_replaced_byte_for_byte},
      {kTheme, "ProgressRequiresTokenOfCurrentRun", progress_requires_token_of_current_run},
      {kTheme, "ProgressNeedsNoToken", progress_needs_no_token},
      {kTheme, "LogsKeepTheirOrder", logs_keep_their_order},
      {kTheme, "KeepsNewestLogs", keeps_newest_logs},
      {kTheme, "SurvivesReopening", survives_reopening},
  };
}

}  // namespace gaur::conformance
