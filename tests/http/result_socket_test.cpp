// Results that are files: whole, in part, unchanged, gone.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "http_fixture.hpp"

namespace gaur::http {
namespace {

class OneFile final : public ResultFiles {
 public:
  Result<ResultFile> find(const JobRef& job) const override {
    if (!there || job.id != JobId("1")) return Error{Errc::kNotFound, "expired"};
    ResultFile file;
    file.path = path;
    file.format = "csv";
    file.bytes = std::filesystem::file_size(path);
    return file;
  }
  std::filesystem::path path;
  std::atomic<bool> there{true};
};

class FileResults : public HttpTest {
 protected:
  void SetUp() override {
    char name[] = "/tmp/gaur-result-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    folder_ = name;
    file_.path = folder_ / "1.csv";
    for (int i = 0; i < 100'000; ++i) content_ += std::to_string(i) + ",검색\n";
    std::ofstream(file_.path, std::ios::binary) << content_;
    files_ = &file_;
    start();
    ask("POST", "/v1/queues/q/jobs", R"({"name":"a"})");
    finish("q", take("q"), outcome::Completed{R"({"n":1.10})", info_of(url_)});
  }
  void TearDown() override {
    HttpTest::TearDown();
    std::filesystem::remove_all(folder_);
  }
  static ResultFileInfo info_of(const std::string& url) {
    return {.url = url, .format = "csv", .bytes = 1, .rows = 2, .expires_at = from_ms(1'795'338'000'000)};
  }
  const std::string url_ = "/v1/queues/q/jobs/1/result";
  std::filesystem::path folder_;
  OneFile file_;
  std::string content_;
};

TEST_F(FileResults, a_file_comes_whole_and_in_part_byte_for_byte) {
  const Answer whole = ask("GET", url_);
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(whole.header("Content-Type"), "text/csv; charset=utf-8");
  EXPECT_EQ(whole.header("Content-Disposition"), "attachment; filename=\"q-1.csv\"");
  EXPECT_TRUE(whole.body == content_) << whole.body.size() << " of " << content_.size();

  const Answer part = ask("GET", url_, {}, "Range: bytes=1000-1999\r\n");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.header("Content-Range"), "bytes 1000-1999/" + std::to_string(content_.size()));
  EXPECT_EQ(part.body, content_.substr(1'000, 1'000));
  EXPECT_EQ(ask("GET", url_, {}, "Range: bytes=-10\r\n").body, content_.substr(content_.size() - 10));
  const Answer beyond = ask("GET", url_, {}, "Range: bytes=99999999-\r\n");
  EXPECT_EQ(beyond.status, 416);
  EXPECT_EQ(beyond.header("Content-Range"), "bytes */" + std::to_string(content_.size()));
}

TEST_F(FileResults, a_known_file_is_not_sent_again) {
  const Answer head = ask("HEAD", url_);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header("Content-Length"), std::to_string(content_.size()));
  const std::string etag = head.header("ETag");
  ASSERT_FALSE(etag.empty());
  EXPECT_EQ(ask("GET", url_, {}, "If-None-Match: " + etag + "\r\n").status, 304);
  EXPECT_EQ(ask("GET", url_, {}, "If-None-Match: \"other\"\r\n").status, 200);
  EXPECT_EQ(ask("GET", url_, {}, "Range: bytes=0-9\r\nIf-Range: " + etag + "\r\n").status, 206);
  EXPECT_EQ(ask("GET", url_, {}, "Range: bytes=0-9\r\nIf-Range: \"other\"\r\n").status, 200);
}

TEST_F(FileResults, a_file_that_expired_is_gone_and_two_requests_share_a_connection) {
  RawClient client(port_);
  client.send(request_text("GET", url_) + request_text("GET", "/healthz"));
  EXPECT_TRUE(client.receive().body == content_);
  EXPECT_EQ(client.receive().status, 200);
  file_.there = false;
  const Answer gone = ask("GET", url_);
  EXPECT_EQ(gone.status, 410);
  EXPECT_EQ(gone.header("Content-Type"), "application/problem+json");
}

TEST_F(FileResults, ShowsTheFileInTheResultOfItsJob) {
  const std::string result =
      R"({"n":1.10,"file":{"url":"/v1/queues/q/jobs/1/result","format":"csv","bytes":1,"rows":2,)"
      R"("expires_at":"2026-11-22T09:00:00Z"}})";
  EXPECT_THAT(ask("GET", "/v1/queues/q/jobs/1").body, testing::HasSubstr("\"result\":" + result + "}"));
}

TEST_F(FileResults, AnswersALinkAndAResultThatLooksLikeAFileAsJson) {
  ResultFileInfo link = info_of("https://h/v1/files/q/2?expires=1&signature=0a");
  link.rows = 0;
  link.is_link = true;
  const std::string other =
      R"({"file":{"url":"/mine","format":"csv","bytes":1,"rows":2,"expires_at":"2026-11-22T09:00:00Z"}})";
  ask("POST", "/v1/queues/q/jobs", R"({"name":"a"})");
  finish("q", take("q"), outcome::Completed{"null", link});
  ask("POST", "/v1/queues/q/jobs", R"({"name":"a"})");
  finish("q", take("q"), outcome::Completed{other});
  EXPECT_EQ(ask("GET", "/v1/queues/q/jobs/2/result").body,
            R"({"url":"https://h/v1/files/q/2?expires=1&signature=0a","bytes":1,"format":"csv",)"
            R"("expires":"2026-11-22T09:00:00Z"})");
  EXPECT_EQ(ask("GET", "/v1/queues/q/jobs/3/result").body, other);
}

TEST_F(FileResults, FindsAFileWhoseAddressWasWrittenBelowABasePath) {
  ask("POST", "/v1/queues/q/jobs", R"({"name":"a","options":{"id":"a/1"}})");
  finish("q", take("q"), outcome::Completed{"{}", info_of("/gaur/v1/queues/q/jobs/a%2F1/result")});
  EXPECT_EQ(ask("GET", "/v1/queues/q/jobs/a%2F1/result").status, 410);  // this folder has one of job 1 only
}

}  // namespace
}  // namespace gaur::http
