// The disk after a process died, or a system call failed, at any step of saving a result file. The steps are
// the system calls that change the file system; this program interposes, counts and records them.
#include <dlfcn.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "base/files.hpp"
#include "base/manual_env.hpp"
#include "results/result_folder.hpp"

namespace {

struct Steps {
  bool counting = false;
  int count = 0, kill_at = 0, fail_at = 0;
  std::vector<std::string> calls;
};
Steps steps;
constexpr int kKilled = 77;

/// Returns true if this call must fail.
bool step(const std::string& call) {
  if (!steps.counting) return false;
  ++steps.count;
  steps.calls.push_back(call);
  if (steps.count == steps.kill_at) ::_exit(kKilled);
  if (steps.count != steps.fail_at) return false;
  errno = EIO;
  return true;
}

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

std::string name_of(int descriptor) {
  char path[4096] = {};
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  return ::readlink(link.c_str(), path, sizeof path - 1) > 0 ? path : "?";
}

}  // namespace

extern "C" {
int fsync(int descriptor) {
  return step("fsync " + name_of(descriptor)) ? -1 : real<int(int)>("fsync")(descriptor);
}
int rename(const char* from, const char* to) {
  return step(std::string("rename ") + from + " " + to)
             ? -1
             : real<int(const char*, const char*)>("rename")(from, to);
}
int unlink(const char* path) {
  return step(std::string("unlink ") + path) ? -1 : real<int(const char*)>("unlink")(path);
}
int mkdir(const char* path, mode_t mode) {
  return step(std::string("mkdir ") + path) ? -1 : real<int(const char*, mode_t)>("mkdir")(path, mode);
}
ssize_t write(int descriptor, const void* bytes, size_t size) {
  if (steps.counting && step("write " + name_of(descriptor))) return -1;
  return real<ssize_t(int, const void*, size_t)>("write")(descriptor, bytes, size);
}
}

namespace gaur::results {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

std::string content_of(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

class Durability : public testing::TestWithParam<const char*> {
 protected:
  Durability() : root_(make_folder(fs::temp_directory_path().string())), other_(make_folder(GetParam())) {
    fs::create_directories(out());
  }
  ~Durability() override {
    fs::remove_all(root_);
    fs::remove_all(other_);
  }
  static fs::path make_folder(const std::string& below) {
    std::string pattern = below + "/gaur-durable-XXXXXX";
    return ::mkdtemp(pattern.data());
  }
  fs::path out() const { return other_ / "out"; }
  fs::path queue() const { return root_ / "results" / "q"; }
  ResultFolder folder() {
    return ResultFolder(clock_, ResultFolder::Options{.folder = root_ / "results", .ttl = 1h});
  }
  Result<ResultFile> save(const std::string& content, const std::string& format) {
    std::ofstream(out() / "r", std::ios::binary) << content;
    ResultFolder results = folder();
    steps.counting = true;
    auto saved = results.save(job_, out(), {"r", format, 1});
    steps.counting = false;
    return saved;
  }
  /// Saves in a child process that dies before its `kill_at`th step. Returns true if the save completed.
  bool save_and_die(const std::string& content, const std::string& format, int kill_at) {
    const pid_t child = ::fork();
    if (child == 0) {
      steps = {};
      steps.kill_at = kill_at;
      ::_exit(save(content, format) ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == kKilled));
    return WEXITSTATUS(status) == 0;
  }
  void start_anew(bool with_old) {
    fs::remove_all(root_ / "results");
    ASSERT_TRUE(!with_old || save(kOld, "csv"));
  }

  const std::string kOld = "the first run's", kNew = std::string(100'000, 'n');
  const JobRef job_{QueueName("q"), JobId("7")};
  ManualClock clock_;
  fs::path root_, other_;
};

TEST_P(Durability, LeavesACompleteFileOrNoneWhenKilledAtAnyStep) {
  for (const bool with_old : {false, true}) {
    for (const char* format : {"csv", "parquet"}) {
      bool finished = false;
      int at = 0;
      while (!finished) {
        ASSERT_NO_FATAL_FAILURE(start_anew(with_old));
        finished = save_and_die(kNew, format, ++at);
        SCOPED_TRACE(testing::Message()
                     << "died at step " << at << ", format " << format << ", old " << with_old);
        ResultFolder after = folder();
        const auto check = [&](const char* when) {
          const auto found = after.find(job_);
          ASSERT_TRUE(found || !(finished || with_old))
              << when << ": lost after it was acknowledged, or from an earlier run";
          if (!found) return;
          const std::string content = content_of(found->path);
          EXPECT_TRUE(content == kNew || (!finished && content == kOld))
              << when << ": " << content.size() << " bytes";
        };
        check("at once");
        after.remove_expired();
        check("after a cleanup");
        std::error_code ignored;
        EXPECT_EQ(entries_of(queue(), ignored).size(), after.find(job_) ? 2U : 0U)
            << "something was left behind";
        ASSERT_TRUE(save(kNew, format));
        EXPECT_EQ(content_of(after.find(job_)->path), kNew);
      }
      EXPECT_GT(at, 6) << "the steps are not interposed";
    }
  }
}

TEST_P(Durability, ReportsAFailureAtAnyStep) {
  steps = {};
  start_anew(false);
  for (int at = 1;; ++at) {
    start_anew(false);
    steps = {};
    steps.fail_at = at;
    const auto saved = save(kNew, "csv");
    const bool injected = steps.count >= at;
    const std::string call = injected ? steps.calls[static_cast<std::size_t>(at) - 1] : "";
    // The third mkdir of a folder checks that it still exists: it may fail.
    const bool may_fail =
        call.starts_with("unlink ") ||
        (call.starts_with("mkdir ") && std::count(steps.calls.begin(), steps.calls.begin() + at, call) > 2);
    steps = {};
    const auto found = folder().find(job_);
    if (saved) {
      EXPECT_TRUE(found) << call;
      EXPECT_TRUE(!injected || may_fail) << call << " failed, and the file was acknowledged";
    } else {
      EXPECT_NE(saved.error().message.find("Input/output error"), std::string::npos) << saved.error().message;
    }
    if (!injected) break;
  }
}

TEST_P(Durability, SyncsTheContentBeforeItsNameAndTheNameBeforeItReturns) {
  steps = {};
  start_anew(false);
  ASSERT_TRUE(save(kNew, "csv"));
  const auto index_of = [&](const std::string& begin, const std::string& end) {
    const auto found = std::find_if(steps.calls.begin(), steps.calls.end(), [&](const std::string& call) {
      return call.starts_with(begin) && call.ends_with(end);
    });
    EXPECT_NE(found, steps.calls.end())
        << begin << "..." << end << " in " << testing::PrintToString(steps.calls);
    return found - steps.calls.begin();
  };
  const bool copied = std::string(GetParam()) != fs::temp_directory_path().string();
  const std::string file = (queue() / "7.csv").string(), record = (queue() / "7.json").string();
  EXPECT_LT(index_of("mkdir ", queue().string()), index_of("fsync ", queue().parent_path().string()));
  EXPECT_LT(index_of("fsync ", copied ? file + ".part" : (out() / "r").string()),
            index_of("rename ", " " + file));
  EXPECT_LT(index_of("rename ", " " + file), index_of("rename ", " " + record));
  EXPECT_LT(index_of("write ", record + ".part"), index_of("fsync ", record + ".part"));
  EXPECT_LT(index_of("fsync ", record + ".part"), index_of("rename ", " " + record));
  EXPECT_LT(index_of("rename ", " " + record), index_of("fsync ", queue().string()));
  EXPECT_EQ(steps.calls.back(), "fsync " + queue().string());
}

INSTANTIATE_TEST_SUITE_P(OneFileSystem, Durability, testing::Values("/tmp"));
INSTANTIATE_TEST_SUITE_P(TwoFileSystems, Durability, testing::Values("/dev/shm"));

TEST(WriteFile, LeavesTheOldOrTheNewContentWhenKilledAtAnyStep) {
  std::string pattern = "/tmp/gaur-durable-XXXXXX";
  const fs::path root = ::mkdtemp(pattern.data());
  const fs::path file = root / "a" / "b" / "host-id";
  bool finished = false;
  for (int at = 1; !finished; ++at) {
    const bool there = fs::exists(file);
    const pid_t child = ::fork();
    if (child == 0) {
      steps = {};
      steps.kill_at = at;
      steps.counting = true;
      ::_exit(write_file(file, "id of step " + std::to_string(at) + "\n") ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    finished = WEXITSTATUS(status) == 0;
    EXPECT_TRUE(finished || WEXITSTATUS(status) == kKilled);
    EXPECT_TRUE(!there || fs::exists(file)) << "lost at step " << at;
    EXPECT_TRUE(!fs::exists(file) || content_of(file).ends_with("\n")) << content_of(file);
  }
  struct stat status {};
  ASSERT_TRUE(write_file(root / "secret", "s", 0600));
  ASSERT_EQ(::stat((root / "secret").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  const auto refused = write_file(root / "secret" / "below", "s");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("cannot make " + (root / "secret").string()), std::string::npos)
      << refused.error().message;
  EXPECT_FALSE(fs::exists(root / "secret.part"));
  fs::remove_all(root);
}

}  // namespace
}  // namespace gaur::results
