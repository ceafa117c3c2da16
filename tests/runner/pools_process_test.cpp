// Pools with real processes: what each kind of end counts as, deadlines, memory, and what is left behind.
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "base/fd.hpp"
#include "base/process_info.hpp"
#include "pools_fixture.hpp"

namespace gaur {
namespace {

using namespace std::chrono_literals;

class PoolsProcess : public PoolsFixture {};

TEST_F(PoolsProcess, RunsAJobAndGivesItsResultByteForByte) {
  open(testbed());
  const auto run = start("echo", "{\"b\": 1.10,\n \"a\":[12345678901234567890123, \"한국어 \\u0000\"]}");
  const auto done = expect_end<run::Completed>(run);
  EXPECT_EQ(done.result, "{\"b\": 1.10,  \"a\":[12345678901234567890123, \"한국어 \\u0000\"]}");
  EXPECT_EQ(usage_.details, "{\"rows\":3}");
  EXPECT_GT(usage_.wall_us, 0U);
  EXPECT_GT(usage_.peak_rss_bytes, 500'000U) << "Gaur measures what the runner did not tell";
}

TEST_F(PoolsProcess, UsesAWarmRunnerAgain) {
  open(testbed());
  for (int i = 0; i < 5; ++i) expect_end<run::Completed>(start("echo"));
  EXPECT_EQ(on_loop([this] { return pools_->status().front().started; }), 1U);
}

TEST_F(PoolsProcess, RunsAsManyAsAreGrantedAtOnce) {
  open(testbed());
  std::vector<LockToken> runs;
  for (int i = 0; i < 4; ++i) runs.push_back(start("sleep", R"({"ms":300})"));
  EXPECT_TRUE(wait_until([&] { return on_loop([this] { return pools_->status().front().busy; }) == 4; }));
  for (const auto& run : runs) expect_end<run::Completed>(run);
}

TEST_F(PoolsProcess, CpuTimeIsMeasuredByTheSystem) {
  open(testbed());
  expect_end<run::Completed>(start("spin", R"({"ms":200})"));
  EXPECT_GE(usage_.cpu_us, 190'000U);
  EXPECT_LE(usage_.cpu_us, 400'000U);
  expect_end<run::Completed>(start("echo"));
  EXPECT_LT(usage_.cpu_us, 50'000U) << "each run counts for itself";
}

TEST_F(PoolsProcess, PeakMemoryIsThatOfTheRunNotOfTheProcess) {
  open(testbed());
  expect_end<run::Completed>(start("eat", R"({"mb":64})"));
  EXPECT_GE(usage_.peak_rss_bytes, 64U << 20);
  expect_end<run::Completed>(start("echo"));
  EXPECT_LT(usage_.peak_rss_bytes, 32U << 20);
}

TEST_F(PoolsProcess, ACrashIsNamedBySignalOrCode) {
  open(testbed());
  const auto crashed = expect_end<run::Crashed>(start("crash"));
  EXPECT_EQ(crashed.signal, SIGSEGV);
  EXPECT_EQ(crashed.message, "its runner died of SIGSEGV");
  const auto exited = expect_end<run::Crashed>(start("exit", R"({"code":7})"));
  EXPECT_EQ(exited.signal, 0);
  EXPECT_EQ(exited.exit_code, 7);
  EXPECT_EQ(exited.message, "its runner exited with code 7");
}

TEST_F(PoolsProcess, ACrashCarriesWhatTheRunnerSaidInItsRun) {
  open(testbed());
  expect_end<run::Completed>(start("talk"));  // what it said in an earlier run explains nothing
  const auto silent = expect_end<run::Crashed>(start("crash"));
  EXPECT_EQ(silent.output, "");
  const auto crashed = expect_end<run::Crashed>(start("last_words"));
  EXPECT_EQ(crashed.message, "its runner died of SIGSEGV: fatal: \xef\xbf\xbd out of luck");
  EXPECT_EQ(crashed.output, "starting\nfatal: \xef\xbf\xbd out of luck");
  EXPECT_GT(crashed.peak_bytes, 0U);
}

TEST_F(PoolsProcess, OnlyADeathThatGaurDidNotCauseIsLoggedAsOne) {
  open(testbed());
  const auto run = start("deaf");
  EXPECT_TRUE(wait_until([&] { return on_loop([this] { return pools_->status().front().busy; }) == 1; }));
  on_loop([&] {
    pools_->stop(run, StopReason::kCancel, "tester", "because");
    return 0;
  });
  expect_end<run::Cancelled>(run);
  expect_end<run::TimedOut>(start("deaf", "{}", {.timeout = 100ms}));
  expect_end<run::OutOfMemory>(start("grow", "{}", {.memory_bytes = 32U << 20}));
  EXPECT_TRUE(wait_until([&] { return log_->has("runner was ended"); })) << log_->all();
  EXPECT_FALSE(log_->has("died")) << log_->all();
  expect_end<run::Crashed>(start("crash"));
  EXPECT_TRUE(wait_until([&] { return log_->has("runner died under a job"); })) << log_->all();
}

TEST_F(PoolsProcess, ARunnerKilledByAForeignHandIsReplacedAtOnce) {
  open(testbed());
  const auto run = start("sleep", R"({"ms":60000})");
  ASSERT_TRUE(wait_until([&] { return on_loop([&] { return pools_->pid_of(run); }) > 0; }));
  const auto pid = static_cast<pid_t>(on_loop([&] { return pools_->pid_of(run); }));
  const Instant killed = clock_.now();
  ::kill(pid, SIGKILL);
  const auto crashed = expect_end<run::Crashed>(run);
  EXPECT_EQ(crashed.signal, SIGKILL);
  const Duration noticed = since(killed);
  EXPECT_TRUE(wait_until([&] { return has_idle_runner(); }));
  std::printf("kill -9 noticed after %ld ms, a runner stands ready again after %ld ms\n",
              static_cast<long>(noticed.count()), static_cast<long>(since(killed).count()));
  EXPECT_LT(since(killed), 1s);
}

TEST_F(PoolsProcess, ADeafRunIsGoneHalfASecondAfterItsDeadline) {
  open(testbed());
  expect_end<run::Completed>(start("echo"));  // the runner is warm
  const Instant begun = clock_.now();
  const auto timed_out = expect_end<run::TimedOut>(start("deaf", "{}", {.timeout = 300ms}));
  const Duration gone = since(begun);
  std::printf("deaf run gone %ld ms after its deadline\n", static_cast<long>(gone.count() - 300));
  EXPECT_EQ(timed_out.after, 300ms);
  EXPECT_LT(gone, 800ms);
  EXPECT_TRUE(wait_until([&] { return has_idle_runner(); }));
  expect_end<run::Completed>(start("echo"));
}

TEST_F(PoolsProcess, APoliteRunKeepsItsRunnerPastADeadline) {
  open(testbed());
  expect_end<run::TimedOut>(start("sleep", R"({"ms":60000})", {.timeout = 200ms}));
  expect_end<run::Completed>(start("echo"));
  EXPECT_EQ(on_loop([this] { return pools_->status().front().started; }), 1U);
}

TEST_F(PoolsProcess, CancelTellsWhoAndWhy) {
  open(testbed());
  const auto run = start("sleep", R"({"ms":60000})");
  ASSERT_TRUE(wait_until([&] { return on_loop([&] { return pools_->pid_of(run); }) > 0; }));
  stop(run, StopReason::kCancel);
  const auto cancelled = expect_end<run::Cancelled>(run);
  EXPECT_EQ(cancelled.who, "tester");
  EXPECT_EQ(cancelled.why, "because");
}

TEST_F(PoolsProcess, MemoryOverTheGrantEndsTheRunAndNamesThePeak) {
  PoolOptions options = testbed();
  open(options);
  const auto over = expect_end<run::OutOfMemory>(start("grow", "{}", {.memory_bytes = 64U << 20}));
  EXPECT_EQ(over.bound_bytes, 64U << 20);
  EXPECT_GE(over.peak_bytes, 57U << 20);
  EXPECT_LE(over.peak_bytes, (64U + 128U) << 20);
  expect_end<run::Completed>(start("echo"));
}

TEST_F(PoolsProcess, TheGrantIsTheLimitOfThisRunOnly) {
  PoolOptions options = testbed();
  options.memory_bytes = 32U << 20;
  open(options);
  // 48 MB do not fit the pool's bound but this run's grant, and again not the next run.
  expect_end<run::Completed>(start("refused", R"({"mb":48})", {.memory_bytes = 256U << 20}));
  expect_end<run::Crashed>(start("refused", R"({"mb":48})"));
}

TEST_F(PoolsProcess, BrokenFramesCostTheRunnerAndCountAsACrash) {
  open(testbed());
  const auto broken = expect_end<run::Crashed>(start("broken"));
  EXPECT_THAT(broken.message, testing::HasSubstr("sent a broken frame: not JSON"));
  const auto wrong = expect_end<run::Crashed>(start("wrong_run"));
  EXPECT_THAT(wrong.message, testing::HasSubstr("run \"another\" is not running here"));
  const auto mute = expect_end<run::Crashed>(start("mute"));
  EXPECT_THAT(mute.message, testing::HasSubstr("closed descriptor 4"));
}

TEST_F(PoolsProcess, AResultTooLargeIsAFailedAttempt) {
  open(testbed());
  const auto large = expect_end<run::Failed>(start("large", R"({"mb":2})"));
  EXPECT_EQ(large.failure.code, "too_large");
  const auto huge = expect_end<run::Crashed>(start("large", R"({"mb":9})"));
  EXPECT_THAT(huge.message, testing::HasSubstr("a line of over 8388608 bytes"));
}

TEST_F(PoolsProcess, AFunctionMayKeepALargerResult) {
  result_bytes_[FunctionName("large")] = 3 << 20;
  open(testbed());
  EXPECT_GT(expect_end<run::Completed>(start("large", R"({"mb":2})")).result.size(), 2U << 20);
  const auto large = expect_end<run::Failed>(start("large", R"({"mb":4})"));
  EXPECT_THAT(large.failure.message, testing::HasSubstr("at most 3145728 are kept (max_result)"));
}

TEST_F(PoolsProcess, AMegabyteGoesThroughAndBack) {
  open(testbed());
  const std::string data = "\"" + std::string((1U << 20) - 2, 'y') + "\"";
  EXPECT_EQ(expect_end<run::Completed>(start("echo", data)).result, data);
}

TEST_F(PoolsProcess, AFloodOfProgressDoesNotDrownTheHost) {
  open(testbed());
  const auto run = start("flood", "{}", {.timeout = 700ms});
  expect_end<run::TimedOut>(run);
  EXPECT_LE(recorder_.progress().size(), 30U) << "20 a second are told on";
  EXPECT_GE(recorder_.progress().size(), 5U);
}

TEST_F(PoolsProcess, TheNewestProgressAndAllLogLinesArrive) {
  open(testbed());
  expect_end<run::Completed>(start("progress", R"({"count":500})"));
  ASSERT_FALSE(recorder_.progress().empty());
  EXPECT_EQ(recorder_.progress().back(), "500");
  const auto later = expect_end<run::Snooze>(start("logs"));
  EXPECT_EQ(later.delay, 5s);
  EXPECT_THAT(recorder_.logs(), testing::ElementsAre("first", "second"));
}

TEST_F(PoolsProcess, ResultFilesMoveToTheResultsFolder) {
  open(testbed());
  const auto done = expect_end<run::Completed>(start("file", "{}", {.id = "42"}));
  EXPECT_THAT(
      done.result,
      testing::StartsWith(
          R"({"rows":8,"file":{"url":"/v1/queues/q/jobs/42/result","format":"csv","bytes":12345,"rows":8,)"));
  const auto found = results_->find({QueueName("q"), JobId("42")});
  ASSERT_TRUE(found);
  EXPECT_EQ(std::filesystem::file_size(found->path), 12345U);
  const auto link = expect_end<run::Failed>(start("link", "{}", {.id = "43"}));
  EXPECT_THAT(link.failure.message, testing::HasSubstr("no regular file"));
  EXPECT_FALSE(results_->find({QueueName("q"), JobId("43")}));
}

TEST_F(PoolsProcess, RunnersSeeOnlyWhatTheyAreGiven) {
  ::setenv("GAUR_TEST_SECRET", "hidden", 1);
  PoolOptions options = testbed();
  options.env["GIVEN"] = "yes";
  open(options);
  EXPECT_EQ(expect_end<run::Completed>(start("environment")).result,
            R"({"secret":"","given":"yes","pool":"p","core":0,"open":""})");
}

TEST_F(PoolsProcess, OutputGoesToTheLogWithPoolAndPid) {
  open(testbed());
  expect_end<run::Completed>(start("talk"));
  EXPECT_TRUE(wait_until([&] { return log_->has("to stderr") && log_->has("second line"); }));
  EXPECT_TRUE(log_->has("runner output pool=p pid=")) << log_->all();
}

TEST_F(PoolsProcess, APoolThatCannotStartIsClosedAndOpensByItself) {
  const auto gate = folder_ / "gate";
  std::ofstream(gate) << "closed";
  PoolOptions options = testbed({"--ready-unless", gate.string()});
  options.restart_min = 10ms;
  options.restart_max = 50ms;
  open(options);
  const auto run = start("echo");
  const auto back = expect_end<run::Interrupted>(run);
  EXPECT_THAT(back.why, testing::HasSubstr("cannot start (5 times in a row): it exited with code 4"));
  EXPECT_TRUE(closed_);
  std::filesystem::remove(gate);
  EXPECT_TRUE(wait_until([&] { return !closed_; }));
  expect_end<run::Completed>(start("echo"));
}

TEST_F(PoolsProcess, AMissingProgramIsNamed) {
  PoolOptions options;
  options.command = {"/no/such/program"};
  options.restart_min = options.restart_max = 5ms;
  open(options);
  EXPECT_TRUE(wait_until([&] { return closed_.load(); }));
  EXPECT_THAT(*on_loop([this] { return pools_->broken("p"); }),
              testing::HasSubstr("/no/such/program: No such file or directory"));
}

TEST_F(PoolsProcess, NotReadyInTimeCountsAsCannotStart) {
  PoolOptions options = testbed({"--never-ready"});
  options.start_timeout = 100ms;
  options.breaker_after = 2;
  options.restart_min = 10ms;
  open(options);
  EXPECT_TRUE(wait_until([&] { return closed_.load(); }));
  EXPECT_THAT(*on_loop([this] { return pools_->broken("p"); }),
              testing::HasSubstr("not ready within 100 ms"));
}

TEST_F(PoolsProcess, GrandchildrenDieWithTheirRunner) {
  open(testbed());
  const auto run = start("orphans", R"({"ms":60000})");
  ASSERT_TRUE(wait_until([&] { return recorder_.progress().size() == 1; }));
  std::vector<pid_t> below;
  // keeper, runner and three that left the session
  ASSERT_TRUE(wait_until([&] { return (below = descendants_of(::getpid())).size() == 5; })) << below.size();
  stop(run, StopReason::kCancel);
  expect_end<run::Cancelled>(run);
  closing_ = pools_->close();
  EXPECT_TRUE(wait_until([&] { return descendants_of(::getpid()).empty(); }));
}

TEST_F(PoolsProcess, RecyclesByJobsWithAWarmSpare) {
  PoolOptions options = testbed();
  options.max_jobs = 3;
  open(options);
  for (int i = 0; i < 20; ++i) expect_end<run::Completed>(start("sleep", R"({"ms":5})"));
  const auto status = on_loop([this] { return pools_->status().front(); });
  EXPECT_GE(status.started, 4U);
  EXPECT_EQ(status.crashed, 0U);
}

TEST_F(PoolsProcess, RecyclesByResidentMemory) {
  PoolOptions options = testbed();
  options.max_rss_bytes = 32U << 20;
  open(options);
  expect_end<run::Completed>(start("eat", R"({"mb":64,"keep":1})"));
  EXPECT_TRUE(wait_until([&] { return on_loop([this] { return pools_->status().front().started; }) == 2; }));
  EXPECT_TRUE(wait_until([&] { return runners().size() == 1 && runners().front().rss_bytes < (32U << 20); }));
}

TEST_F(PoolsProcess, ScratchIsRemovedAfterTheRunner) {
  open(testbed());
  expect_end<run::Completed>(start("echo"));
  EXPECT_FALSE(std::filesystem::is_empty(folder_ / "run"));
  closing_ = pools_->close();
  EXPECT_TRUE(wait_until([&] { return std::filesystem::is_empty(folder_ / "run"); }));
}

TEST_F(PoolsProcess, CloseInterruptsWhatRuns) {
  open(testbed());
  const auto run = start("sleep", R"({"ms":60000})");
  ASSERT_TRUE(wait_until([&] { return on_loop([&] { return pools_->pid_of(run); }) > 0; }));
  closing_ = pools_->close();
  expect_end<run::Interrupted>(run);
}

/// Ends of processes, seen without being their parent.
class Watched {
 public:
  explicit Watched(const std::vector<pid_t>& pids) {
    for (const pid_t pid : pids)
      fds_.push_back({static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)), POLLIN, 0});
  }
  ~Watched() {
    for (const pollfd& fd : fds_) ::close(fd.fd);
  }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;
  std::size_t alive() {
    ::poll(fds_.data(), fds_.size(), 0);
    return static_cast<std::size_t>(
        std::count_if(fds_.begin(), fds_.end(), [](const pollfd& fd) { return fd.revents == 0; }));
  }

 private:
  std::vector<pollfd> fds_;
};

TEST_F(PoolsProcess, NothingOutlivesAServerKilledWithSigkill) {
  auto told = make_pipe();
  ASSERT_TRUE(told);
  const pid_t server = ::fork();
  if (server == 0) {
    ::dup2(told->write.get(), 1);
    ::execl(GAUR_TEST_KEEPER, "keeper_host", "server", GAUR_TEST_TESTBED, (folder_ / "run").c_str(), nullptr);
    ::_exit(127);
  }
  char left[2];
  for (char& one : left) ASSERT_EQ(::read(told->read.get(), &one, 1), 1);
  std::vector<pid_t> below;
  // Three keepers, three runners, two times three orphans in sessions of their own.
  ASSERT_TRUE(wait_until([&] { return (below = descendants_of(server)).size() == 12; })) << below.size();
  Watched watched(below);
  ASSERT_EQ(watched.alive(), 12U);
  const Instant killed = clock_.now();
  ::kill(server, SIGKILL);
  EXPECT_TRUE(wait_until([&] { return watched.alive() == 0; }, 5s)) << watched.alive();
  const Duration took = since(killed);
  std::printf("after SIGKILL of the server 12 processes below were gone in %ld ms\n",
              static_cast<long>(took.count()));
  EXPECT_LT(took, 2s);
  ::waitpid(server, nullptr, 0);
}

}  // namespace
}  // namespace gaur
