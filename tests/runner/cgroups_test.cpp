// Cgroups against a simulated tree: a folder with the files that the kernel would show.
#include "runner/cgroups.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>

#include "base/files.hpp"

namespace gaur {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class CgroupsTest : public testing::Test {
 protected:
  CgroupsTest() : mount_(::mkdtemp(pattern_.data())) {
    write("self", "4:memory:/old\n0::/unit\n");
    for (const char* folder : {"", "unit"})
      write(fs::path(folder) / "cgroup.controllers", "cpu memory pids\n");
    write("unit/cgroup.procs", std::to_string(::getpid()) + "\n");
    write("unit/cgroup.subtree_control", "");
    for (const char* file : {"cgroup.procs", "cpu.weight"}) write(fs::path("unit/host") / file, "");
    for (const char* file :
         {"cgroup.procs", "cgroup.kill", "pids.max", "memory.max", "memory.oom.group", "cpu.weight"})
      write(fs::path("unit/runner-1") / file, "");
  }
  ~CgroupsTest() override { fs::remove_all(mount_); }

  void write(const fs::path& file, const std::string& text) {
    fs::create_directories((mount_ / file).parent_path());
    std::ofstream(mount_ / file) << text;
  }
  std::string read(const fs::path& file) { return read_file(mount_ / file, 1000).value_or("missing"); }
  CgroupPaths paths() const { return {mount_, mount_ / "self"}; }
  std::string why_not() const {
    const Status available = Cgroups::available(paths());
    return available ? "" : available.error().message;
  }

  std::string pattern_ = (fs::temp_directory_path() / "gaur-cgroups-XXXXXX").string();
  const fs::path mount_;
};

TEST_F(CgroupsTest, MovesTheHostAndLimitsARunner) {
  EXPECT_EQ(why_not(), "");
  const auto cgroups = Cgroups::prepare(paths());
  ASSERT_TRUE(cgroups) << cgroups.error().message;
  EXPECT_EQ(read("unit/host/cgroup.procs"), "0");
  EXPECT_EQ(read("unit/host/cpu.weight"), "10000");
  EXPECT_EQ(read("unit/cgroup.subtree_control"), "+cpu") << "the last of three writes";
  const auto runner = cgroups->create("runner-1", {.memory_bytes = 256 << 20, .threads = 4});
  ASSERT_TRUE(runner) << runner.error().message;
  EXPECT_EQ(read("unit/runner-1/memory.max"), std::to_string((256 + 32) << 20));
  EXPECT_EQ(read("unit/runner-1/memory.oom.group"), "1");
  EXPECT_EQ(read("unit/runner-1/pids.max"), "2048");
  EXPECT_EQ(read("unit/runner-1/cpu.weight"), "400");
  EXPECT_TRUE(set_cgroup_memory(*runner, 0));
  EXPECT_EQ(read("unit/runner-1/memory.max"), "max");
  kill_cgroup(*runner);
  EXPECT_EQ(read("unit/runner-1/cgroup.kill"), "1");
}

TEST_F(CgroupsTest, WorksWithoutTheCpuController) {
  write("unit/cgroup.controllers", "memory pids\n");
  fs::remove(mount_ / "unit/runner-1/cpu.weight");
  const auto cgroups = Cgroups::prepare(paths());
  ASSERT_TRUE(cgroups) << cgroups.error().message;
  EXPECT_EQ(read("unit/host/cpu.weight"), "");
  EXPECT_TRUE(cgroups->create("runner-1", {}));
}

TEST_F(CgroupsTest, CountsKillsForMemory) {
  EXPECT_EQ(cgroup_oom_kills(mount_ / "unit/runner-1"), 0U);
  write("unit/runner-1/memory.events", "low 0\nhigh 7\nmax 3\noom 2\noom_kill 1\noom_group_kill 5\n");
  EXPECT_EQ(cgroup_oom_kills(mount_ / "unit/runner-1"), 1U);
  write("unit/runner-1/memory.peak", "123456\n");
  EXPECT_EQ(cgroup_peak_bytes(mount_ / "unit/runner-1"), 123456U);
}

TEST_F(CgroupsTest, ReportsWhyThereAreNone) {
  write("unit/cgroup.procs", std::to_string(::getpid()) + "\n1\n");
  EXPECT_THAT(why_not(), HasSubstr("other processes are in its cgroup"));
  write("unit/cgroup.controllers", "cpu memory\n");
  EXPECT_THAT(why_not(), HasSubstr("no controller pids"));
  fs::remove(mount_ / "unit/cgroup.subtree_control");
  EXPECT_THAT(why_not(), HasSubstr("Delegate=yes"));
  write("self", "0::/\n");
  EXPECT_THAT(why_not(), HasSubstr("root cgroup"));
  write("self", "4:memory:/old\n");
  EXPECT_THAT(why_not(), HasSubstr("in no cgroup of version 2"));
  fs::remove(mount_ / "cgroup.controllers");
  EXPECT_THAT(why_not(), HasSubstr("cgroup version 2 is not mounted at " + mount_.string()));
  EXPECT_EQ(Cgroups::prepare(paths()).error().code, Errc::kUnsupported);
  EXPECT_EQ(read("unit/host/cgroup.procs"), "") << "nothing was changed";
}

}  // namespace
}  // namespace gaur
