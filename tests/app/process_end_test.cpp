// What the next host reads after each kind of end of the previous one. The ends are those of real processes.
#include <gmock/gmock.h>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <functional>

#include "../embedded/temp_folder.hpp"
#include "app/host/process_end.hpp"

namespace gaur::app {
namespace {

using testing::HasSubstr;
using testing::Optional;

const KernelFacts kBoot{"919965e3-a54c-4b4f-b58a-e9f2c1d2379b", 7};

class ProcessEndTest : public ::testing::Test {
 protected:
  /// Runs `life` in a process that records its end. Returns the status of waitpid().
  int run(const std::function<void(ProcessEnd&)>& life) {
    const pid_t child = fork();
    if (child == 0) {
      auto end = ProcessEnd::record(folder.path(), kBoot);
      if (!end) _exit(1);
      life(**end);
      end->reset();
      _exit(0);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return status;
  }
  static KernelFacts kills(std::uint64_t count) { return {kBoot.boot_id, count}; }

  test::TempFolder folder;
};

TEST_F(ProcessEndTest, OrderlyEndSuspectsNothing) {
  EXPECT_EQ(jobs_suspected(folder.path(), kBoot), std::nullopt);
  EXPECT_EQ(run([](ProcessEnd&) {}), 0);
  EXPECT_EQ(jobs_suspected(folder.path(), kills(8)), std::nullopt);
}

TEST_F(ProcessEndTest, KillFromOutsideSuspectsNothing) {
  EXPECT_EQ(WTERMSIG(run([](ProcessEnd&) { kill(getpid(), SIGKILL); })), SIGKILL);
  EXPECT_EQ(jobs_suspected(folder.path(), kBoot), std::nullopt);
}

TEST_F(ProcessEndTest, CrashIsRecordedAndStillEndsTheProcess) {
  EXPECT_EQ(WTERMSIG(run([](ProcessEnd&) { abort(); })), SIGABRT);
  EXPECT_THAT(jobs_suspected(folder.path(), kBoot), Optional(HasSubstr("it crashed (SIGABRT)")));
  EXPECT_EQ(WTERMSIG(run([](ProcessEnd&) { raise(SIGSEGV); })), SIGSEGV);
  EXPECT_THAT(jobs_suspected(folder.path(), {"another boot", 0}),
              Optional(HasSubstr("it crashed (SIGSEGV)")));
  run([](ProcessEnd&) {});
  EXPECT_EQ(jobs_suspected(folder.path(), kBoot), std::nullopt) << "the crash counts once";
}

TEST_F(ProcessEndTest, FailureOfTheStoresFileSuspectsNothing) {
  EXPECT_EQ(WTERMSIG(run([](ProcessEnd&) {
              std::signal(SIGBUS, SIG_DFL);  // AddressSanitizer handles it else
              raise(SIGBUS);
            })),
            SIGBUS);
  EXPECT_EQ(jobs_suspected(folder.path(), kBoot), std::nullopt);
}

TEST_F(ProcessEndTest, AbortSentByAnotherProcessSuspectsNothing) {
  EXPECT_EQ(WTERMSIG(run([](ProcessEnd&) {
              const pid_t parent = getpid();
              if (fork() == 0) {
                kill(parent, SIGABRT);
                _exit(0);
              }
              for (;;) pause();
            })),
            SIGABRT);
  EXPECT_EQ(jobs_suspected(folder.path(), kBoot), std::nullopt);
}

TEST_F(ProcessEndTest, MemoryKillBeforeTheEndIsSuspect) {
  const auto killed = [](ProcessEnd&) { kill(getpid(), SIGKILL); };
  run(killed);
  EXPECT_THAT(jobs_suspected(folder.path(), kills(8)), Optional(HasSubstr("lack of memory")));
  EXPECT_EQ(jobs_suspected(folder.path(), {"another boot", 8}), std::nullopt) << "the machine restarted";
  EXPECT_EQ(jobs_suspected(folder.path(), {"", 8}), std::nullopt);
  EXPECT_EQ(jobs_suspected(folder.path(), {kBoot.boot_id, {}}), std::nullopt);
}

TEST_F(ProcessEndTest, SurvivedMemoryKillIsNotSuspect) {
  run([](ProcessEnd& end) {
    end.update(kills(8));
    end.update(kills(8));
    end.update(kills(9));  // the next interval does not come
    kill(getpid(), SIGKILL);
  });
  EXPECT_EQ(jobs_suspected(folder.path(), kills(8)), std::nullopt);
  EXPECT_THAT(jobs_suspected(folder.path(), kills(9)), Optional(HasSubstr("lack of memory")));
}

TEST_F(ProcessEndTest, ReadsFactsOfKernel) {
  const KernelFacts facts = read_kernel_facts();
  EXPECT_EQ(facts.boot_id.size(), 36U);
  std::filesystem::create_directories(folder.path() / "sys/kernel/random");
  std::ofstream(folder.path() / "sys/kernel/random/boot_id") << kBoot.boot_id << "\n";
  std::ofstream(folder.path() / "vmstat") << "pgfault 12\noom_kill 7\nnuma_hit 3\n";
  EXPECT_EQ(read_kernel_facts(folder.path()).boot_id, kBoot.boot_id);
  EXPECT_EQ(read_kernel_facts(folder.path()).memory_kills, 7U);
  EXPECT_EQ(read_kernel_facts(folder.path() / "none").memory_kills, std::nullopt);
}

TEST_F(ProcessEndTest, DamagedFileSuspectsNothing) {
  for (const std::string& text : {std::string(), std::string("x"), std::string(64, ' '),
                                  std::string(5000, 's'), std::string(64, '\n') + "sig"}) {
    std::ofstream(folder.path() / "running") << text;
    EXPECT_EQ(jobs_suspected(folder.path(), kBoot), std::nullopt) << text.substr(0, 8);
  }
}

}  // namespace
}  // namespace gaur::app
