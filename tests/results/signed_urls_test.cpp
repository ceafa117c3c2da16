// Links to result files: signatures, expiry, shared folders, the secret.
#include "results/signed_urls.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

namespace gaur::results {
namespace {

namespace fs = std::filesystem;

SignedUrls::Options options() {
  return {.folder = "/data/results",
          .secret = std::string(32, 's'),
          .path = [](const JobRef& job, std::int64_t expires_ms, std::string_view signature) {
            return "/files/" + job.id.value + "?" + std::to_string(expires_ms) + "&" + std::string(signature);
          }};
}

ResultFile file() {
  return {"/data/results/q/a b.csv", "csv", 5, 1, from_ms(5'000)};
}

const JobRef kJob{QueueName("q"), JobId("a b")};

TEST(SignedUrls, ChecksSignatureJobAndExpiry) {
  SignedUrls links(options());
  links.set_own_url("http://127.0.0.1:1");
  const std::string url = links.url(kJob, file());
  const std::string begin = "http://127.0.0.1:1/files/a b?5000&";
  ASSERT_THAT(url, testing::StartsWith(begin));
  const std::string signature = url.substr(begin.size());
  EXPECT_TRUE(links.check(kJob, "5000", signature, from_ms(4'999)));
  EXPECT_EQ(links.check(kJob, "5000", signature, from_ms(5'000)).error().code, Errc::kTimeout);
  std::string changed = signature;
  changed.back() = changed.back() == '0' ? '1' : '0';
  for (const auto& [job, expires, text] : {std::tuple(kJob, "5001", signature),
                                           {kJob, "5000 ", signature},
                                           {kJob, "", signature},
                                           {kJob, "5000", changed},
                                           {kJob, "5000", ""},
                                           {kJob, "5000", signature + "0"},
                                           {JobRef{QueueName("qa"), JobId(" b")}, "5000", signature}}) {
    EXPECT_EQ(links.check(job, expires, text, from_ms(0)).error().code, Errc::kPermission) << expires << text;
  }
  SignedUrls::Options other = options();
  other.secret = std::string(32, 't');
  EXPECT_FALSE(SignedUrls(std::move(other)).check(kJob, "5000", signature, from_ms(0)));
}

TEST(SignedUrls, LinksToTheFileInASharedFolder) {
  SignedUrls::Options shared = options();
  shared.shared = true;
  EXPECT_EQ(SignedUrls(shared).url(kJob, file()), "file:///data/results/q/a%20b.csv");
  shared.public_url = "https://files.example/r";
  EXPECT_EQ(SignedUrls(shared).url(kJob, file()), "https://files.example/r/q/a%20b.csv");
}

TEST(LinkSecret, IsCreatedOnceAndRejectedWhenShort) {
  std::string pattern = (fs::temp_directory_path() / "gaur-secret-XXXXXX").string();
  const fs::path folder = ::mkdtemp(pattern.data());
  const auto created = load_link_secret(folder / "secret", true);
  ASSERT_TRUE(created);
  EXPECT_EQ(created->size(), 64U);
  struct stat status {};
  ASSERT_EQ(::stat((folder / "secret").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_EQ(load_link_secret(folder / "secret", true), created);
  std::ofstream(folder / "short") << std::string(31, 'x') << "\n";
  const auto rejected = load_link_secret(folder / "short", true);
  ASSERT_FALSE(rejected);
  EXPECT_THAT(rejected.error().message, testing::HasSubstr("openssl rand -hex 32"));
  EXPECT_FALSE(load_link_secret(folder / "missing", false));
  const auto unreadable = load_link_secret("/proc/self/mem", false);
  ASSERT_FALSE(unreadable);
  EXPECT_THAT(unreadable.error().message, testing::HasSubstr("cannot read /proc/self/mem"));
  fs::remove_all(folder);
}

}  // namespace
}  // namespace gaur::results
