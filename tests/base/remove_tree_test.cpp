#include "base/remove_tree.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace gaur {
namespace {

namespace fs = std::filesystem;

class RemoveTreeTest : public testing::Test {
 protected:
  RemoveTreeTest() : temp_(::mkdtemp(pattern_.data())), top_(temp_ / "top") {}
  ~RemoveTreeTest() override { fs::remove_all(temp_); }

  std::string pattern_ = (fs::temp_directory_path() / "gaur-remove-XXXXXX").string();
  const fs::path temp_, top_;
};

TEST_F(RemoveTreeTest, RemovesFilesAndFolders) {
  fs::create_directories(top_ / "a/b/c");
  for (const char* name : {"x", "a/y", "a/b/c/z", "a/b/.up-1"}) std::ofstream(top_ / name) << "text";
  EXPECT_TRUE(remove_tree(top_));
  EXPECT_FALSE(fs::exists(top_));
  EXPECT_TRUE(remove_tree(top_)) << "nothing to remove";
}

TEST_F(RemoveTreeTest, RemovesASingleFile) {
  std::ofstream(top_) << "text";
  EXPECT_TRUE(remove_tree(top_));
  EXPECT_FALSE(fs::exists(top_));
}

TEST_F(RemoveTreeTest, EmptiesAFolderExceptTheKeptNames) {
  fs::create_directories(top_ / "a/b");
  for (const char* name : {"x", "y", "a/z"}) std::ofstream(top_ / name) << "text";
  const Fd top = open_folder_at(AT_FDCWD, top_.string());
  EXPECT_EQ(remove_entries(top.get(), {"x"}, 1).error().code, Errc::kTooLarge);
  EXPECT_TRUE(remove_entries(top.get(), {"x"}, 2));
  EXPECT_EQ(names_in(top.get(), 10), std::vector<std::string>{"x"});
}

TEST_F(RemoveTreeTest, FollowsNoSymbolicLink) {
  fs::create_directories(temp_ / "elsewhere");
  std::ofstream(temp_ / "elsewhere/kept") << "text";
  fs::create_directories(top_ / "a");
  fs::create_directory_symlink(temp_ / "elsewhere", top_ / "a/link");
  EXPECT_TRUE(remove_tree(top_));
  fs::create_directory_symlink(temp_ / "elsewhere", top_);
  EXPECT_TRUE(remove_tree(top_));
  EXPECT_FALSE(fs::is_symlink(top_));
  EXPECT_TRUE(fs::exists(temp_ / "elsewhere/kept"));
}

TEST_F(RemoveTreeTest, RemovesATreeDeeperThanTheDescriptorsOfTheProcess) {
  fs::create_directories(top_);
  Fd folder(::open(top_.c_str(), O_RDONLY | O_DIRECTORY));
  for (int depth = 0; depth < 200; ++depth) {
    ASSERT_EQ(::mkdirat(folder.get(), "deep", 0700), 0);
    folder = Fd(::openat(folder.get(), "deep", O_RDONLY | O_DIRECTORY));
    ASSERT_TRUE(folder);
  }
  folder.reset();
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit few{50, limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  const Status removed = remove_tree(top_);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_TRUE(removed);
  EXPECT_FALSE(fs::exists(top_));
}

TEST_F(RemoveTreeTest, RemovesFoldersWithoutPermissions) {
  fs::create_directories(top_ / "a/b/c");
  std::ofstream(top_ / "a/b/c/x") << "text";
  for (const char* name : {"a/b/c", "a/b", "a", "."}) fs::permissions(top_ / name, fs::perms::none);
  const bool as_root = ::geteuid() == 0;  // which ignores permissions
  if (as_root) {
    ASSERT_EQ(::chown(temp_.c_str(), 65534, 65534), 0);
    for (const char* name : {"a/b/c", "a/b", "a", "."})
      ASSERT_EQ(::lchown((top_ / name).c_str(), 65534, 65534), 0);
    ASSERT_EQ(::seteuid(65534), 0);
  }
  const Status removed = remove_tree(top_);
  if (as_root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  EXPECT_TRUE(removed);
  EXPECT_FALSE(fs::exists(top_));
}

}  // namespace
}  // namespace gaur
