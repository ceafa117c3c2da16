// Pools with real processes: ends of runs, deadlines, memory, and remaining processes and files.
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "base/fd.hpp"
#include "base/files.hpp"
#include "base/process_info.hpp"
#include "pools_fixture.hpp"

namespace gaur {
namespace {

using namespace std::chrono_literals;

class PoolsProcess : public PoolsFixture {};

TEST_F(PoolsProcess, ReturnsAResultByteForByte) {
  open(testbed());
  const auto run = start("echo", "{\"b\": 1.10,\n \"a\":[12345678901234567890123, \"한국어 \\u0000\"]}");
  const auto done = expect_end<run::Completed>(run);
  EXPECT_EQ(done.result, "{\"b\": 1.10,  \"a\":[12345678901234567890123, \"한국어 \\u0000\"]}");
  EXPECT_EQ(usage_.details, "{\"rows\":3}");
  EXPECT_GT(usage_.wall_us, 0U);
  EXPECT_GT(usage_.peak_rss_bytes, 500'000U) << "measured, because the runner reported none";
}

TEST_F(PoolsProcess, ReusesAnIdleRunner) {
  open(testbed());
  for (int i = 0; i < 5; ++i) expect_end<run::Completed>(start("echo"));
  EXPECT_EQ(on_loop([this] { return pools_->status().front().started; }), 1U);
}

TEST_F(PoolsProcess, RunsGrantedJobsConcurrently) {
  open(testbed());
  std::vector<LockToken> runs;
  for (int i = 0; i < 4; ++i) runs.push_back(start("sleep", R"({"ms":300})"));
  EXPECT_TRUE(wait_until([&] { return on_loop([this] { return pools_->status().front().busy; }) == 4; }));
  for (const auto& run : runs) expect_end<run::Completed>(run);
}

TEST_F(PoolsProcess, MeasuresCpuTimeOfEachRun) {
  open(testbed());
  expect_end<run::Completed>(start("spin", R"({"ms":200})"));
  EXPECT_GE(usage_.cpu_us, 190'000U);
  EXPECT_LE(usage_.cpu_us, 400'000U);
  expect_end<run::Completed>(start("echo"));
  EXPECT_LT(usage_.cpu_us, 50'000U) << "of this run only";
}

TEST_F(PoolsProcess, MeasuresPeakMemoryOfEachRun) {
  open(testbed());
  expect_end<run::Completed>(start("eat", R"({"mb":64})"));
  EXPECT_GE(usage_.peak_rss_bytes, 64U << 20);
  expect_end<run::Completed>(start("echo"));
  EXPECT_LT(usage_.peak_rss_bytes, 32U << 20);
}

TEST_F(PoolsProcess, NamesSignalOrExitCodeOfACrash) {
  open(testbed());
  const auto crashed = expect_end<run::Crashed>(start("crash"));
  EXPECT_EQ(crashed.signal, SIGSEGV);
  EXPECT_EQ(crashed.message, "its runner died of SIGSEGV");
  const auto exited = expect_end<run::Crashed>(start("exit", R"({"code":7})"));
  EXPECT_EQ(exited.signal, 0);
  EXPECT_EQ(exited.exit_code, 7);
  EXPECT_EQ(exited.message, "its runner exited with code 7");
}

TEST_F(PoolsProcess, ReportsTheOutputOfACrashedRun) {
  open(testbed());
  expect_end<run::Completed>(start("talk"));  // its output does not belong to the next run
  const auto silent = expect_end<run::Crashed>(start("crash"));
  EXPECT_EQ(silent.output, "");
  const auto crashed = expect_end<run::Crashed>(start("report_and_crash"));
  EXPECT_EQ(crashed.message, "its runner died of SIGSEGV: fatal: \xef\xbf\xbd out of luck");
  EXPECT_EQ(crashed.output, "starting\nfatal: \xef\xbf\xbd out of luck");
  EXPECT_GT(crashed.peak_bytes, 0U);
}

TEST_F(PoolsProcess, LogsADeathOnlyIfGaurDidNotCauseIt) {
  open(testbed());
  const auto run = start("ignore_all");
  EXPECT_TRUE(wait_until([&] { return on_loop([this] { return pools_->status().front().busy; }) == 1; }));
  on_loop([&] {
    pools_->stop(run, StopReason::kCancel, "tester", "because");
    return 0;
  });
  expect_end<run::Cancelled>(run);
  expect_end<run::TimedOut>(start("ignore_all", "{}", {.timeout = 100ms}));
  expect_end<run::OutOfMemory>(start("grow", "{}", {.memory_bytes = 32U << 20}));
  EXPECT_TRUE(wait_until([&] { return log_->has("runner ended by its pool"); })) << log_->all();
  EXPECT_FALSE(log_->has("died")) << log_->all();
  expect_end<run::Crashed>(start("crash"));
  EXPECT_TRUE(wait_until([&] { return log_->has("runner died during a job"); })) << log_->all();
}

TEST_F(PoolsProcess, ReplacesARunnerThatAnotherProcessKilled) {
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
  std::printf("kill -9 noticed after %ld ms, a runner is ready after %ld ms\n",
              static_cast<long>(noticed.count()), static_cast<long>(since(killed).count()));
  EXPECT_LT(since(killed), 1s);
}

TEST_F(PoolsProcess, KillsARunThatIgnoresCancelHalfASecondAfterItsDeadline) {
  open(testbed());
  expect_end<run::Completed>(start("echo"));  // the runner has started
  const Instant started = clock_.now();
  const auto timed_out = expect_end<run::TimedOut>(start("ignore_all", "{}", {.timeout = 300ms}));
  const Duration took = since(started);
  std::printf("run killed %ld ms after its deadline\n", static_cast<long>(took.count() - 300));
  EXPECT_EQ(timed_out.after, 300ms);
  EXPECT_LT(took, 800ms);
  EXPECT_TRUE(wait_until([&] { return has_idle_runner(); }));
  expect_end<run::Completed>(start("echo"));
}

TEST_F(PoolsProcess, KeepsTheRunnerOfARunThatObeysItsDeadline) {
  open(testbed());
  expect_end<run::TimedOut>(start("sleep", R"({"ms":60000})", {.timeout = 200ms}));
  expect_end<run::Completed>(start("echo"));
  EXPECT_EQ(on_loop([this] { return pools_->status().front().started; }), 1U);
}

TEST_F(PoolsProcess, ReportsWhoCancelledAndWhy) {
  open(testbed());
  const auto run = start("sleep", R"({"ms":60000})");
  ASSERT_TRUE(wait_until([&] { return on_loop([&] { return pools_->pid_of(run); }) > 0; }));
  stop(run, StopReason::kCancel);
  const auto cancelled = expect_end<run::Cancelled>(run);
  EXPECT_EQ(cancelled.who, "tester");
  EXPECT_EQ(cancelled.why, "because");
}

TEST_F(PoolsProcess, EndsARunOverItsMemoryGrantAndReportsThePeak) {
  PoolOptions options = testbed();
  open(options);
  const auto over = expect_end<run::OutOfMemory>(start("grow", "{}", {.memory_bytes = 64U << 20}));
  EXPECT_EQ(over.bound_bytes, 64U << 20);
  EXPECT_GE(over.peak_bytes, 57U << 20);
  EXPECT_LE(over.peak_bytes, (64U + 128U) << 20);
  expect_end<run::Completed>(start("echo"));
}

TEST_F(PoolsProcess, LimitsMemoryForEachRun) {
  PoolOptions options = testbed();
  options.memory_bytes = 32U << 20;
  open(options);
  // 48 MB exceed the pool's limit, fit the first run's grant, and exceed the limit of the next run.
  expect_end<run::Completed>(start("refused", R"({"mb":48})", {.memory_bytes = 256U << 20}));
  expect_end<run::Crashed>(start("refused", R"({"mb":48})"));
}

TEST_F(PoolsProcess, KillsARunnerThatSendsABrokenFrame) {
  open(testbed());
  const auto broken = expect_end<run::Crashed>(start("broken"));
  EXPECT_THAT(broken.message, testing::HasSubstr("sent a broken frame: not JSON"));
  const auto wrong = expect_end<run::Crashed>(start("wrong_run"));
  EXPECT_THAT(wrong.message, testing::HasSubstr("run \"another\" is not running here"));
  const auto mute = expect_end<run::Crashed>(start("mute"));
  EXPECT_THAT(mute.message, testing::HasSubstr("closed descriptor 4"));
}

TEST_F(PoolsProcess, FailsARunWithATooLargeResult) {
  open(testbed());
  const auto large = expect_end<run::Failed>(start("large", R"({"mb":2})"));
  EXPECT_EQ(large.failure.code, "too_large");
  const auto huge = expect_end<run::Crashed>(start("large", R"({"mb":9})"));
  EXPECT_THAT(huge.message, testing::HasSubstr("a line of over 8388608 bytes"));
}

TEST_F(PoolsProcess, AppliesTheResultLimitOfTheFunction) {
  result_bytes_[FunctionName("large")] = 3 << 20;
  open(testbed());
  EXPECT_GT(expect_end<run::Completed>(start("large", R"({"mb":2})")).result.size(), 2U << 20);
  const auto large = expect_end<run::Failed>(start("large", R"({"mb":4})"));
  EXPECT_THAT(large.failure.message, testing::HasSubstr("at most 3145728 are kept (max_result)"));
}

TEST_F(PoolsProcess, TransfersAMegabyte) {
  open(testbed());
  const std::string data = "\"" + std::string((1U << 20) - 2, 'y') + "\"";
  EXPECT_EQ(expect_end<run::Completed>(start("echo", data)).result, data);
}

TEST_F(PoolsProcess, LimitsTheRateOfProgress) {
  open(testbed());
  const auto run = start("flood", "{}", {.timeout = 700ms});
  expect_end<run::TimedOut>(run);
  EXPECT_LE(recorder_.progress().size(), 30U) << "at most 20 a second are reported";
  EXPECT_GE(recorder_.progress().size(), 5U);
}

TEST_F(PoolsProcess, ReportsTheNewestProgressAndAllLogLines) {
  open(testbed());
  expect_end<run::Completed>(start("progress", R"({"count":500})"));
  ASSERT_FALSE(recorder_.progress().empty());
  EXPECT_EQ(recorder_.progress().back(), "500");
  const auto snoozed = expect_end<run::Snooze>(start("logs"));
  EXPECT_EQ(snoozed.delay, 5s);
  EXPECT_THAT(recorder_.logs(), testing::ElementsAre("first", "second"));
}

TEST_F(PoolsProcess, MovesResultFilesToTheResultsFolder) {
  open(testbed());
  const auto done = expect_end<run::Completed>(start("file", "{}", {.id = "42"}));
  const auto found = results_->find({QueueName("q"), JobId("42")});
  ASSERT_TRUE(found);
  EXPECT_EQ(done.result, R"({"rows":8})");
  EXPECT_EQ(done.file, results::info_of(*found, ""));
  EXPECT_EQ(done.file->rows, 8U);
  EXPECT_EQ(std::filesystem::file_size(found->path), 12345U);
  const auto link = expect_end<run::Failed>(start("link", "{}", {.id = "43"}));
  EXPECT_THAT(link.failure.message, testing::HasSubstr("not a regular file"));
  EXPECT_FALSE(results_->find({QueueName("q"), JobId("43")}));
}

TEST_F(PoolsProcess, PassesOnlyConfiguredVariablesAndDescriptors) {
  ::setenv("GAUR_TEST_SECRET", "hidden", 1);
  PoolOptions options = testbed();
  options.env["GIVEN"] = "yes";
  open(options);
  EXPECT_EQ(expect_end<run::Completed>(start("environment")).result,
            R"({"secret":"","given":"yes","pool":"p","core":0,"open":""})");
}

TEST_F(PoolsProcess, LogsOutputWithPoolAndPid) {
  open(testbed());
  expect_end<run::Completed>(start("talk"));
  EXPECT_TRUE(wait_until([&] { return log_->has("to stderr") && log_->has("second line"); }));
  EXPECT_TRUE(log_->has("runner output pool=p pid=")) << log_->all();
}

TEST_F(PoolsProcess, ClosesAPoolThatCannotStartAndReopensIt) {
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

TEST_F(PoolsProcess, NamesAMissingProgram) {
  PoolOptions options;
  options.command = {"/no/such/program"};
  options.restart_min = options.restart_max = 5ms;
  open(options);
  EXPECT_TRUE(wait_until([&] { return closed_.load(); }));
  EXPECT_THAT(*on_loop([this] { return pools_->broken("p"); }),
              testing::HasSubstr("/no/such/program: No such file or directory"));
}

TEST_F(PoolsProcess, CountsAMissingReadyAsAFailedStart) {
  PoolOptions options = testbed({"--never-ready"});
  options.start_timeout = 100ms;
  options.breaker_after = 2;
  options.restart_min = 10ms;
  open(options);
  EXPECT_TRUE(wait_until([&] { return closed_.load(); }));
  EXPECT_THAT(*on_loop([this] { return pools_->broken("p"); }),
              testing::HasSubstr("not ready within 100 ms"));
}

TEST_F(PoolsProcess, KillsGrandchildrenWithTheirRunner) {
  open(testbed());
  const auto run = start("orphans", R"({"ms":60000})");
  ASSERT_TRUE(wait_until([&] { return recorder_.progress().size() == 1; }));
  std::vector<pid_t> below;
  // keeper, runner and three processes in other sessions
  ASSERT_TRUE(wait_until([&] { return (below = descendants_of(::getpid())).size() == 5; })) << below.size();
  stop(run, StopReason::kCancel);
  expect_end<run::Cancelled>(run);
  closing_ = pools_->close();
  EXPECT_TRUE(wait_until([&] { return descendants_of(::getpid()).empty(); }));
}

TEST_F(PoolsProcess, ReplacesRunnersAfterMaxJobs) {
  PoolOptions options = testbed();
  options.max_jobs = 3;
  open(options);
  for (int i = 0; i < 20; ++i) expect_end<run::Completed>(start("sleep", R"({"ms":5})"));
  const auto status = on_loop([this] { return pools_->status().front(); });
  EXPECT_GE(status.started, 4U);
  EXPECT_EQ(status.crashed, 0U);
}

TEST_F(PoolsProcess, ReplacesRunnersByResidentMemory) {
  PoolOptions options = testbed();
  options.max_rss_bytes = 32U << 20;
  open(options);
  expect_end<run::Completed>(start("eat", R"({"mb":64,"keep":1})"));
  EXPECT_TRUE(wait_until([&] { return on_loop([this] { return pools_->status().front().started; }) == 2; }));
  EXPECT_TRUE(wait_until([&] { return runners().size() == 1 && runners().front().rss_bytes < (32U << 20); }));
}

TEST_F(PoolsProcess, RemovesTheScratchFolderOfARunner) {
  open(testbed());
  expect_end<run::Completed>(start("echo"));
  EXPECT_FALSE(std::filesystem::is_empty(folder_ / "run"));
  closing_ = pools_->close();
  EXPECT_TRUE(wait_until([&] { return std::filesystem::is_empty(folder_ / "run"); }));
}

TEST_F(PoolsProcess, CloseInterruptsRuns) {
  open(testbed());
  const auto run = start("sleep", R"({"ms":60000})");
  ASSERT_TRUE(wait_until([&] { return on_loop([&] { return pools_->pid_of(run); }) > 0; }));
  closing_ = pools_->close();
  expect_end<run::Interrupted>(run);
}

/// Observes exits of processes that are not children.
class ProcessWatch {
 public:
  explicit ProcessWatch(const std::vector<pid_t>& pids) {
    for (const pid_t pid : pids)
      fds_.push_back({static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)), POLLIN, 0});
  }
  ~ProcessWatch() {
    for (const pollfd& fd : fds_) ::close(fd.fd);
  }
  ProcessWatch(const ProcessWatch&) = delete;
  ProcessWatch& operator=(const ProcessWatch&) = delete;
  std::size_t alive() {
    ::poll(fds_.data(), fds_.size(), 0);
    return static_cast<std::size_t>(
        std::count_if(fds_.begin(), fds_.end(), [](const pollfd& fd) { return fd.revents == 0; }));
  }

 private:
  std::vector<pollfd> fds_;
};

TEST_F(PoolsProcess, LeavesNoProcessAfterSigkillOfTheServer) {
  auto output = make_pipe();
  ASSERT_TRUE(output);
  const pid_t server = ::fork();
  if (server == 0) {
    ::dup2(output->write.get(), 1);
    ::execl(GAUR_TEST_KEEPER, "keeper_host", "server", GAUR_TEST_TESTBED, (folder_ / "run").c_str(), nullptr);
    ::_exit(127);
  }
  char lines[2];
  for (char& one : lines) ASSERT_EQ(::read(output->read.get(), &one, 1), 1);
  std::vector<pid_t> below;
  // Three keepers, three runners, and two times three orphans in other sessions.
  ASSERT_TRUE(wait_until([&] { return (below = descendants_of(server)).size() == 12; })) << below.size();
  ProcessWatch watched(below);
  ASSERT_EQ(watched.alive(), 12U);
  const Instant killed = clock_.now();
  ::kill(server, SIGKILL);
  EXPECT_TRUE(wait_until([&] { return watched.alive() == 0; }, 5s)) << watched.alive();
  const Duration took = since(killed);
  std::printf("after SIGKILL of the server 12 processes exited within %ld ms\n",
              static_cast<long>(took.count()));
  EXPECT_LT(took, 2s);
  ::waitpid(server, nullptr, 0);
}

/// A simulated tree: a folder with the files that the kernel would show.
TEST_F(PoolsProcess, RunsEachRunnerInACgroup) {
  cgroups_ = {folder_ / "cgroup", folder_ / "self"};
  const auto write = [&](const std::filesystem::path& file, const std::string& text) {
    std::filesystem::create_directories((folder_ / file).parent_path());
    std::ofstream(folder_ / file) << text;
  };
  const auto read = [&](const std::filesystem::path& file) {
    return read_file(folder_ / file, 1000).value_or("missing");
  };
  write("self", "0::/unit\n");
  write("cgroup/cgroup.controllers", "cpu memory pids");
  write("cgroup/unit/cgroup.controllers", "cpu memory pids");
  write("cgroup/unit/cgroup.procs", std::to_string(::getpid()) + "\n");
  write("cgroup/unit/cgroup.subtree_control", "");
  const std::filesystem::path runner = "cgroup/unit/runner-1";
  for (const char* file : {"cgroup.procs", "cpu.weight"})
    write(std::filesystem::path("cgroup/unit/host") / file, "");
  for (const char* file : {"cgroup.procs", "cgroup.kill", "pids.max", "memory.max", "memory.oom.group"})
    write(runner / file, "");
  open(testbed());
  expect_end<run::Completed>(start("echo", "{}", {.memory_bytes = 512 << 20}));
  EXPECT_EQ(read(runner / "cgroup.procs"), "0") << "the runner joined before its exec";
  EXPECT_EQ(read(runner / "memory.max"), std::to_string(std::uint64_t{544} << 20));
  EXPECT_EQ(read(runner / "cgroup.kill"), "");
  write(runner / "memory.events", "oom 1\noom_kill 1\n");
  write(runner / "memory.peak", std::to_string(543 << 20));
  const LockToken sleeping = start("sleep", "{\"ms\":60000}", {.memory_bytes = 512 << 20});
  ASSERT_TRUE(wait_until([&] { return runners().front().run.has_value(); }));
  ::kill(static_cast<pid_t>(runners().front().pid), SIGKILL);
  EXPECT_EQ(expect_end<run::OutOfMemory>(sleeping).peak_bytes, std::uint64_t{543} << 20);
  EXPECT_TRUE(wait_until([&] { return read(runner / "cgroup.kill") == "1"; }))
      << "ends what survives the keeper";
}

}  // namespace
}  // namespace gaur
