#include "app/config/machine.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace gaur::app {
namespace {

namespace fs = std::filesystem;

/// A root folder with a /proc and a /sys of the test's own.
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

TEST(Machine, without_a_cgroup_is_what_the_kernel_says) {
  const FakeRoot root;
  const Machine machine = detect_machine(root.path());
  EXPECT_EQ(machine.memory_bytes, 16'000'000ULL * 1024);
  EXPECT_EQ(machine.memory_from, "MemTotal");
  EXPECT_GE(machine.cores, 1);
}

TEST(Machine, takes_the_lowest_limit_of_all_cgroups_above_it) {
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

TEST(Machine, reads_version_1_cgroups_and_their_way_of_saying_none) {
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

TEST(Machine, reads_cpu_max) {
  EXPECT_EQ(parse_cpu_max("200000 100000"), 2.0);
  EXPECT_EQ(parse_cpu_max("max 100000"), std::nullopt);
  EXPECT_EQ(parse_cpu_max(""), std::nullopt);
}

}  // namespace
}  // namespace gaur::app
