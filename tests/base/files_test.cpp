#include "base/files.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace gaur {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ReadFileTest : public testing::Test {
 protected:
  ReadFileTest() : folder_(::mkdtemp(pattern_.data())) {}
  ~ReadFileTest() override { fs::remove_all(folder_); }

  std::string pattern_ = (fs::temp_directory_path() / "gaur-files-XXXXXX").string();
  const fs::path folder_;
};

TEST_F(ReadFileTest, ReadsWholeFilesUpToTheLimit) {
  const std::string text = std::string(200'000, 'x') + '\0' + "end\r\n";
  std::ofstream(folder_ / "large", std::ios::binary) << text;
  EXPECT_EQ(read_file(folder_ / "large", text.size()).value(), text);
  const auto rejected = read_file(folder_ / "large", text.size() - 1);
  ASSERT_FALSE(rejected);
  EXPECT_EQ(rejected.error().code, Errc::kTooLarge);
  std::ofstream(folder_ / "empty") << "";
  EXPECT_EQ(read_file(folder_ / "empty", 0).value(), "");
}

TEST_F(ReadFileTest, ReportsAFailureAfterTheOpen) {
  // A regular file that can be opened; its first page is not mapped, so the read fails.
  const auto failed = read_file("/proc/self/mem", 1 << 20);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Errc::kIo);
  EXPECT_THAT(failed.error().message, HasSubstr("cannot read /proc/self/mem: Input/output error"));
}

TEST_F(ReadFileTest, RejectsWhatIsNotARegularFile) {
  const auto folder = read_file(folder_, 10);
  ASSERT_FALSE(folder);
  EXPECT_THAT(folder.error().message, HasSubstr("Is a directory"));
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  const auto pipe = read_file(folder_ / "pipe", 10);  // nobody writes to it
  ASSERT_FALSE(pipe);
  EXPECT_THAT(pipe.error().message, HasSubstr("not a regular file"));
  const auto missing = read_file(folder_ / "missing", 10);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::kNotFound);
}

}  // namespace
}  // namespace gaur
