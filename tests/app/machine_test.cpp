#include "app/config/machine.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace gaur::app {
namespace {

namespace fs = std::filesystem;

/// A root folder with the test's own /proc and /sys.
class FakeRoot {
 public:
  FakeRoot()
      : root_(fs::path(testing::TempDir()) /
              (testing::UnitTest::GetInstance()->current_test_info()->name() + std::to_string(getpid()))) {
    fs::remove_all(root_);
    put("proc/meminfo", "MemTotal:       16000000 kB\nMemFree:        1 kB\n");
  }
  ~FakeRoot() { fs::remove_all(root_); }
  void put(const std::string& file, const std::string& text) {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  const fs::path& path() const { return root_; }

 private:
  fs::path root_;
};

TEST(Machine, WithoutACgroupHasTheLimitsOfTheKernel) {
  const FakeRoot root;
  const Machine machine = detect_machine(root.path());
  EXPECT_EQ(machine.memory_bytes, 16'000'000ULL * 1024);
  EXPECT_EQ(machine.memory_from, "MemTotal");
  EXPECT_GE(machine.cores, 1);
}

TEST(Machine, AppliesTheLowestLimitOfAllCgroupsAboveIt) {
  FakeRoot root;
  root.put("proc/self/cgroup", "0::/pod/app\n");
  root.put("sys/fs/cgroup/pod/memory.max", "4000000000\n");
  root.put("sys/fs/cgroup/pod/app/memory.max", "max\n");
  root.put("sys/fs/cgroup/pod/app/cpu.max", "50000 100000\n");
  const Machine machine = detect_machine(root.path());
  EXPECT_EQ(machine.memory_bytes, 4'000'000'000ULL);
  EXPECT_EQ(machine.memory_from, "cgroup limit");
  EXPECT_DOUBLE_EQ(machine.cores, 0.5);
  EXPECT_EQ(machine.cores_from, "cgroup limit");
}

TEST(Machine, ReadsCgroupsOfVersion1AndTheirValueForNoLimit) {
  FakeRoot root;
  root.put("proc/self/cgroup", "5:memory:/app\n3:cpu,cpuacct:/app\n");
  root.put("sys/fs/cgroup/memory/app/memory.limit_in_bytes", "2000000000\n");
  root.put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  root.put("sys/fs/cgroup/cpu/app/cpu.cfs_quota_us", "-1\n");
  root.put("sys/fs/cgroup/cpu/app/cpu.cfs_period_us", "100000\n");
  const Machine machine = detect_machine(root.path());
  EXPECT_EQ(machine.memory_bytes, 2'000'000'000ULL);
  EXPECT_EQ(machine.cores_from, "affinity");
}

TEST(Machine, ReadsCpuMax) {
  EXPECT_EQ(parse_cpu_max("200000 100000"), 2.0);
  EXPECT_EQ(parse_cpu_max("max 100000"), std::nullopt);
  EXPECT_EQ(parse_cpu_max(""), std::nullopt);
}

}  // namespace
}  // namespace gaur::app
