// Data, progress and logs of a job.
#include <gmock/gmock.h>

#include "conformance/case_context.hpp"

namespace gaur::conformance {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

void data_is_replaced(CaseContext& b) {
  const JobId id = b.add("a", {}, R"({"n":1})");
  (void)b.must(b.store().update_data(b.ref(id), R"({"n": 2,  "ü":"한"})"));
  EXPECT_EQ(b.job(id).data, R"({"n": 2,  "ü":"한"})") << "byte for byte";
  EXPECT_FALSE(b.now(b.store().update_data(b.ref(id), "{no json")));
  EXPECT_EQ(b.job(id).data, R"({"n": 2,  "ü":"한"})");
  EXPECT_EQ(b.error(b.store().update_data(b.ref(JobId("not-here")), "{}")), Errc::kNotFound);
}

void progress_by_the_owner(CaseContext& b) {
  const JobId id = b.add();
  const Taken taken = b.take_one();
  (void)b.must(b.store().update_progress(b.ref(id), taken.token, R"({"percent":50})"));
  EXPECT_EQ(b.job(id).progress, R"({"percent":50})");
  EXPECT_EQ(b.error(b.store().update_progress(b.ref(id), LockToken("someone"), "1")), Errc::kLockMismatch);
  EXPECT_EQ(b.job(id).progress, R"({"percent":50})");
  EXPECT_TRUE(b.finish(taken, outcome::Completed{}));
  EXPECT_EQ(b.error(b.store().update_progress(b.ref(id), taken.token, "99")), Errc::kLockMissing);
  EXPECT_EQ(b.job(id).progress, R"({"percent":50})");
}

void progress_by_anybody(CaseContext& b) {
  const JobId id = b.add();
  (void)b.must(b.store().update_progress(b.ref(id), std::nullopt, "7"));
  EXPECT_EQ(b.job(id).progress, "7");
  EXPECT_EQ(b.error(b.store().update_progress(b.ref(JobId("not-here")), std::nullopt, "1")), Errc::kNotFound);
}

void logs_are_kept_in_order(CaseContext& b) {
  const JobId id = b.add();
  EXPECT_EQ(b.must(b.store().append_logs(b.ref(id), {"one", "two"})), 2U);
  EXPECT_EQ(b.must(b.store().append_logs(b.ref(id), {"three"})), 3U);
  const LogPage all = b.must(b.store().logs(b.ref(id), 0, 100));
  EXPECT_THAT(all.lines, ElementsAre("one", "two", "three"));
  EXPECT_EQ(all.total, 3U);
  const LogPage middle = b.must(b.store().logs(b.ref(id), 1, 1));
  EXPECT_THAT(middle.lines, ElementsAre("two"));
  EXPECT_EQ(middle.total, 3U);
  EXPECT_EQ(b.error(b.store().append_logs(b.ref(JobId("not-here")), {"x"})), Errc::kNotFound);
}

void the_newest_logs_are_kept(CaseContext& b) {
  const JobId id = b.add("a", {.keep_logs = 3});
  EXPECT_EQ(b.must(b.store().append_logs(b.ref(id), {"1", "2"})), 2U);
  EXPECT_EQ(b.must(b.store().append_logs(b.ref(id), {"3", "4", "5"})), 3U);
  EXPECT_THAT(b.must(b.store().logs(b.ref(id), 0, 10)).lines, ElementsAre("3", "4", "5"));
  const JobId none = b.add("b", {.keep_logs = 0});
  EXPECT_EQ(b.must(b.store().append_logs(b.ref(none), {"1"})), 0U);
  EXPECT_THAT(b.must(b.store().logs(b.ref(none), 0, 10)).lines, IsEmpty());
}

void all_of_it_survives_reopening(CaseContext& b) {
  const JobId id = b.add();
  (void)b.must(b.store().append_logs(b.ref(id), {"한글 로그"}));
  (void)b.must(b.store().update_progress(b.ref(id), std::nullopt, "12"));
  (void)b.must(b.store().update_data(b.ref(id), "[1]"));
  b.rig.crash_and_reopen();
  EXPECT_THAT(b.must(b.store().logs(b.ref(id), 0, 10)).lines, ElementsAre("한글 로그"));
  EXPECT_EQ(b.job(id).progress, "12");
  EXPECT_EQ(b.job(id).data, "[1]");
}

}  // namespace

std::vector<Case> data_cases() {
  constexpr const char* kTheme = "Data";
  return {
      {kTheme, "IsReplacedByteForByte", data_is_replaced},
      {kTheme, "ProgressIsTheOwners", progress_by_the_owner},
      {kTheme, "ProgressWithoutATokenIsAnybodys", progress_by_anybody},
      {kTheme, "LogsAreKeptInOrder", logs_are_kept_in_order},
      {kTheme, "TheNewestLogsAreKept", the_newest_logs_are_kept},
      {kTheme, "AllOfItSurvivesReopening", all_of_it_survives_reopening},
  };
}

}  // namespace gaur::conformance
