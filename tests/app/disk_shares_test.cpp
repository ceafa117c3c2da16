#include "app/config/disk_shares.hpp"

#include <gtest/gtest.h>

namespace gaur::app {
namespace {

constexpr std::uint64_t kGiB = 1ULL << 30;

TEST(DiskShares, AreAQuarterAtLeastAGibibyteAtMostHalf) {
  EXPECT_EQ(default_disk_share(100 * kGiB), 25 * kGiB);
  EXPECT_EQ(default_disk_share(4 * kGiB), kGiB);
  EXPECT_EQ(default_disk_share(3 * kGiB), kGiB);
  EXPECT_EQ(default_disk_share(kGiB), kGiB / 2);
  EXPECT_EQ(default_disk_share(0), 0U) << "unknown: no limit";
}

TEST(DiskShares, UseTheFileSystemOfTheNearestExistingParent) {
  const auto root = disk_space_of("/tmp");
  EXPECT_GT(root.capacity, 0U);
  EXPECT_EQ(disk_space_of("/tmp/gaur-no-such-folder/data").capacity, root.capacity);
}

}  // namespace
}  // namespace gaur::app
