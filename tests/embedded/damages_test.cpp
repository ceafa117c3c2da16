// Random damages of a data file. Each is harmless (every job and list is equal), or it is detected; then a
// salvage saves the jobs and names what is lost. No damage crashes the process that opens the file, and none
// changes a job silently. 300 damages; 3000 with GAUR_LONG=1; one with GAUR_SEED=N.
#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "base/files.hpp"
#include "child_output.hpp"
#include "temp_folder.hpp"

namespace gaur::test {

namespace fs = std::filesystem;

constexpr std::size_t kPage = 4096;
constexpr int kDamageReported = 10;
enum Kind { kBitFlip, kZeroedPage, kTruncation, kSwappedPages, kOldPage, kKinds };
constexpr std::array kKindNames{"bit flip", "zeroed page", "truncation", "swapped pages", "old page"};

struct Tally {
  int harmless = 0, salvaged_whole = 0, salvaged_in_part = 0;
  std::uint64_t jobs_lost = 0;
};

class DamagesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(run_child({driver_, "make", (folder_.path() / "made").string()}).code, 0);
    original_ = *read_file(folder_.path() / "made/store/data.mdb", 1 << 30);
    earlier_ = *read_file(folder_.path() / "made/earlier.mdb", 1 << 30);
    const ChildOutput read = read_store(original_);
    ASSERT_EQ(read.code, 0) << read.text;
    expected_ = read.text;
    expected_jobs_ = jobs_in(expected_);
    ASSERT_GT(expected_jobs_.size(), 1000U);
  }

  std::string damaged(unsigned seed, Kind kind) const {
    std::mt19937_64 random(seed);
    const auto below = [&](std::size_t end) { return static_cast<std::size_t>(random() % end); };
    std::string bytes = original_;
    const auto copy_page = [&](const std::string& from, std::size_t source, std::size_t target) {
      bytes.replace(target * kPage, kPage, from, source * kPage, kPage);
    };
    const std::size_t one = below(original_.size() / kPage), other = below(original_.size() / kPage);
    switch (kind) {
      case kBitFlip: {
        char& byte = bytes[below(bytes.size())];
        byte = static_cast<char>(byte ^ (1 << below(8)));
        break;
      }
      case kZeroedPage: bytes.replace(one * kPage, kPage, kPage, '\0'); break;
      case kTruncation: bytes.resize(below(bytes.size())); break;
      case kSwappedPages:
        copy_page(original_, other, one);
        copy_page(original_, one, other);
        break;
      default: {
        const std::size_t old = one % (earlier_.size() / kPage);
        copy_page(earlier_, old, old);
      }
    }
    return bytes;
  }

  fs::path new_folder() {
    fs::path folder = folder_.path() / "damaged";
    fs::remove_all(folder);
    fs::create_directories(folder / "store");
    return folder;
  }
  ChildOutput read_store(const std::string& bytes) {
    const fs::path folder = new_folder();
    std::ofstream(folder / "store/data.mdb", std::ios::binary) << bytes;
    fs::copy_file(folder_.path() / "made/store-id", folder / "store-id");
    return run_child({driver_, "read", folder.string()});
  }

  /// The lines of jobs by queue and id.
  static std::map<std::string, std::string> jobs_in(const std::string& text) {
    std::map<std::string, std::string> jobs;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("job ")) continue;
      std::istringstream words(line);
      std::string queue, id;
      words >> queue >> queue >> id;
      jobs.emplace(fmt_key(queue, id), line);
    }
    return jobs;
  }
  static std::string fmt_key(const std::string& queue, const std::string& id) {
    return "queue " + queue + ", job " + id + ":";
  }

  void expect_salvaged(const std::string& bytes, Tally& tally) {
    const fs::path folder = new_folder(), out = folder_.path() / "salvaged";
    std::ofstream(folder / "damaged.mdb", std::ios::binary) << bytes;
    fs::remove_all(out);
    const ChildOutput report =
        run_child({driver_, "salvage", (folder / "damaged.mdb").string(), out.string()});
    ASSERT_EQ(report.code, 0) << report.text;
    const ChildOutput read = run_child({driver_, "read", out.string()});
    ASSERT_EQ(read.code, 0) << read.text;
    const auto saved = jobs_in(read.text);
    const bool may_have_removed = report.text.find("may contain removed jobs") != std::string::npos;
    const bool may_be_old = report.text.find("may contain old states") != std::string::npos;
    std::uint64_t lost = 0, missing = std::stoull(report.text.substr(report.text.find("missing ") + 8));
    const bool queue_lost = report.text.find("its name and") != std::string::npos;
    for (const auto& [key, line] : expected_jobs_) {
      const auto found = saved.find(key);
      if (found != saved.end() && found->second == line) continue;
      ++lost;
      if (queue_lost || report.text.find(key) != std::string::npos) continue;
      if (found == saved.end()) {
        EXPECT_GT(missing, 0U) << key << " is lost and not reported\n" << report.text;
        if (missing > 0) --missing;
      } else {
        EXPECT_TRUE(may_be_old || may_have_removed) << found->second << "\n" << line << "\n" << report.text;
      }
    }
    for (const auto& [key, line] : saved) {
      const bool reported = report.text.find(key) != std::string::npos;
      EXPECT_TRUE(expected_jobs_.contains(key) || reported || may_have_removed || queue_lost || may_be_old)
          << line;
    }
    tally.jobs_lost += lost;
    ++(lost == 0 ? tally.salvaged_whole : tally.salvaged_in_part);
  }

  const TempFolder folder_;
  const std::string driver_ = program("damage_driver");
  std::string original_, earlier_, expected_;
  std::map<std::string, std::string> expected_jobs_;
};

#if defined(__SANITIZE_ADDRESS__)
constexpr unsigned kDamages = 60;  // a sanitized process takes long to start
#else
constexpr unsigned kDamages = 300;
#endif

TEST_F(DamagesTest, EachIsHarmlessOrDetectedAndSalvaged) {
  const char* const only = std::getenv("GAUR_SEED");
  const unsigned first = only != nullptr ? static_cast<unsigned>(std::stoul(only)) : 0;
  const unsigned count = only != nullptr ? first + 1 : std::getenv("GAUR_LONG") != nullptr ? 3000 : kDamages;
  std::array<Tally, kKinds> tallies{};
  for (unsigned seed = first; seed < count && !HasFatalFailure(); ++seed) {
    const Kind kind = static_cast<Kind>(seed % kKinds);
    SCOPED_TRACE(::testing::Message() << "seed " << seed << ", " << kKindNames[kind]);
    const std::string bytes = damaged(seed, kind);
    const ChildOutput read = read_store(bytes);
    if (read.code == 0) {
      EXPECT_TRUE(read.text == expected_) << "changed silently";
      ++tallies[kind].harmless;
      continue;
    }
    ASSERT_EQ(read.code, kDamageReported) << read.text.substr(0, 500);
    expect_salvaged(bytes, tallies[kind]);
  }
  std::printf("%u damages of a store with %zu jobs\n", count, expected_jobs_.size());
  std::printf("%-15s %9s %15s %16s %10s\n", "", "harmless", "salvaged whole", "salvaged in part",
              "jobs lost");
  for (int kind = 0; kind < kKinds; ++kind) {
    const Tally& t = tallies[static_cast<std::size_t>(kind)];
    std::printf("%-15s %9d %15d %16d %10llu\n", kKindNames[static_cast<std::size_t>(kind)], t.harmless,
                t.salvaged_whole, t.salvaged_in_part, static_cast<unsigned long long>(t.jobs_lost));
  }
}

/// A file that is copied while it changes begins with old pages and ends with new ones.
TEST_F(DamagesTest, CopyMadeUnderLoadIsRejected) {
  const std::size_t old_pages = earlier_.size() / kPage;
  for (std::size_t copied = 2; copied < old_pages; copied += old_pages / 10) {
    SCOPED_TRACE(copied);
    std::string bytes = original_;
    bytes.replace(0, copied * kPage, earlier_, 0, copied * kPage);
    EXPECT_EQ(read_store(bytes).code, kDamageReported);
  }
}

TEST_F(DamagesTest, SalvageOfUndamagedStoreIsEqual) {
  Tally tally;
  expect_salvaged(original_, tally);
  EXPECT_EQ(tally.salvaged_whole, 1);
}

}  // namespace gaur::test
