// The conformance check of runners: the example runners pass it, and it finds broken runners.
#include <gmock/gmock.h>
#include <unistd.h>

#include "runner/runner_check.hpp"

namespace gaur {
namespace {

RunnerCheckOptions options_for(std::vector<std::string> command) {
  RunnerCheckOptions options;
  options.command = std::move(command);
  options.keeper_program = GAUR_TEST_KEEPER;
  options.scratch = std::filesystem::temp_directory_path() / ("gaur-check-" + std::to_string(::getpid()));
  options.start_timeout = Duration(10'000);
  return options;
}

std::vector<std::string> failures(const std::vector<std::string>& command) {
  std::vector<std::string> failed;
  for (const auto& one : check_runner(options_for(command))) {
    if (!one.passed) failed.push_back(one.name + ": " + one.note);
  }
  return failed;
}

const std::string kExamples = GAUR_TEST_EXAMPLES;

TEST(RunnerCheck, NodeExamplePasses) {
  EXPECT_THAT(failures({"node", kExamples + "/runner.js"}), testing::IsEmpty());
}
TEST(RunnerCheck, PythonExamplePasses) {
  EXPECT_THAT(failures({"python3", kExamples + "/runner.py"}), testing::IsEmpty());
}
TEST(RunnerCheck, ShellExamplePasses) {
  EXPECT_THAT(failures({"bash", kExamples + "/runner.sh"}), testing::IsEmpty());
}
TEST(RunnerCheck, CppExamplePasses) {
  EXPECT_THAT(failures({GAUR_TEST_CPP_EXAMPLE}), testing::IsEmpty());
}
TEST(RunnerCheck, TestbedPasses) {
  EXPECT_THAT(failures({GAUR_TEST_TESTBED}), testing::IsEmpty());
}

TEST(RunnerCheck, ReportsEachCaseAsItEnds) {
  std::vector<std::string> names;
  check_runner(options_for({GAUR_TEST_TESTBED}),
               [&](const RunnerCheckCase& one) { names.push_back(one.name); });
  EXPECT_EQ(names.size(), 14U);
  EXPECT_EQ(names.front(), "ready");
  EXPECT_EQ(names.back(), "end of file");
}

TEST(RunnerCheck, ChecksOneFunctionOfTheRunner) {
  auto options = options_for({GAUR_TEST_TESTBED});
  options.function = "sleep";
  options.data = R"({"ms":5})";
  std::vector<std::string> names;
  for (const RunnerCheckCase& one : check_runner(options)) {
    EXPECT_TRUE(one.passed) << one.name << ": " << one.note;
    names.push_back(one.name);
  }
  EXPECT_EQ(names.size(), 10U);
  EXPECT_EQ(names.at(1), "sleep");
}
TEST(RunnerCheck, FindsAFunctionThatFails) {
  auto options = options_for({"python3", kExamples + "/runner.py"});
  options.function = "no_such_function";
  const auto cases = check_runner(options);
  ASSERT_EQ(cases.size(), 2U) << "the other cases need a function that completes";
  EXPECT_FALSE(cases.back().passed);
  EXPECT_THAT(cases.back().note, testing::HasSubstr("it failed: "));
}

TEST(RunnerCheck, FindsARunnerThatIsNeverReady) {
  auto options = options_for({GAUR_TEST_TESTBED, "--never-ready"});
  options.start_timeout = Duration(100);
  const auto cases = check_runner(options);
  ASSERT_EQ(cases.size(), 1U);
  EXPECT_EQ(cases.front().note, "no `ready` within 100 ms");
}
TEST(RunnerCheck, FindsARunnerThatExitsBeforeReady) {
  EXPECT_THAT(failures({GAUR_TEST_TESTBED, "--exit-before-ready"}),
              testing::ElementsAre("ready: before `ready` it exited with code 3"));
}
TEST(RunnerCheck, FindsGarbageAndOldProtocols) {
  EXPECT_THAT(failures({GAUR_TEST_TESTBED, "--garbage"}),
              testing::ElementsAre(testing::HasSubstr("not JSON")));
  EXPECT_THAT(failures({GAUR_TEST_TESTBED, "--old"}),
              testing::ElementsAre("ready: it speaks protocol 0, 1 is needed"));
}
TEST(RunnerCheck, FindsARunnerThatLosesData) {
  const std::string wrong_result = R"(echo '{"type":"ready"}' >&4; while read -r f <&3; do
    case $f in *'"type":"run"'*) r=${f#*'"run":"'}; echo '{"type":"completed","run":"'${r%%\"*}'","result":5}' >&4;;
    *'"type":"stop"'*) exit 1;; esac; done; exit 0)";
  const auto failed = failures({"sh", "-c", wrong_result});
  EXPECT_THAT(failed, testing::Contains("echo: `result` is not the data: 5"));
  EXPECT_THAT(failed, testing::Contains("cancel: it did not sleep"));
  EXPECT_THAT(failed, testing::Contains("stop: it exited with code 1; it must exit with code 0"));
}

}  // namespace
}  // namespace gaur
