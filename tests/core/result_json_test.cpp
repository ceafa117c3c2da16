// The JSON text of results with files, as peers and HTTP clients read it.
#include "core/result_json.hpp"

#include <gtest/gtest.h>

namespace gaur {
namespace {

ResultFileInfo file(bool is_link = false) {
  return {.url = is_link ? "https://h/v1/files/q/1?expires=1795338000000&signature=0a"
                         : "/v1/queues/q/jobs/%ED%95%9C%2F1/result",
          .format = "parquet",
          .bytes = 12345,
          .rows = is_link ? 0U : 8U,
          .expires_at = from_ms(1'795'338'000'000),
          .is_link = is_link};
}

const std::string kMember =
    R"("file":{"url":"/v1/queues/q/jobs/%ED%95%9C%2F1/result","format":"parquet","bytes":12345,"rows":8,)"
    R"("expires_at":"2026-11-22T09:00:00Z"})";
const std::string kLink =
    R"({"url":"https://h/v1/files/q/1?expires=1795338000000&signature=0a","bytes":12345,"format":"parquet",)"
    R"("expires":"2026-11-22T09:00:00Z"})";

TEST(ResultJson, AddsTheFileAndCopiesTheResult) {
  EXPECT_EQ(result_json(R"({"n":1.10})", file()), "{\"n\":1.10," + kMember + "}");
  EXPECT_EQ(result_json("{ }", file()), "{ " + kMember + "}");
  EXPECT_EQ(result_json("{}", file()), "{" + kMember + "}");
  EXPECT_EQ(result_json("null", file(true)), kLink);
  EXPECT_EQ(result_json("[1.10]", std::nullopt), "[1.10]");
}

TEST(ResultJson, ReadsBackTheParts) {
  Job job;
  for (const std::string result : {R"({"n":1.10})", "{ }", "{}", R"({"a":{"file":{"url":"x"}},"b":[ ] })"}) {
    set_result(job, result_json(result, file()));
    EXPECT_EQ(job.result, result);
    EXPECT_EQ(job.result_file, file());
  }
  set_result(job, kLink);
  EXPECT_EQ(job.result, "null");
  EXPECT_EQ(job.result_file, file(true));
  set_result(job, "1");
  EXPECT_EQ(job.result, "1");
  EXPECT_FALSE(job.result_file) << "the file of the earlier result";
}

TEST(ResultJson, ReadsAnyOtherTextAsAResult) {
  const std::string member = kMember;
  for (const std::string& text :
       {std::string(), std::string("null"), std::string("}}"), std::string(R"("file":{"url":}})"),
        std::string(R"({"file":{"url":"/v1/queues/q/jobs/1/result","format":"csv","bytes":1}})"),
        std::string(R"({"file":{"url":1,"format":"csv","bytes":1,"rows":1,"expires_at":"x"}})"),
        "{" + member + " }", "{" + member + ",\"b\":1}", "[{" + member + "}]", "{\"a\":{" + member + "}}",
        "{\"a\":1 ," + member.substr(0, 20) + "}}", kLink + " ", "{ " + kLink.substr(1),
        "{" + kMember.substr(0, kMember.size() - 1) + ",\"more\":1}}",
        "{\"file\":{\"url\":\"" + std::string(100'000, 'x') + "\"}}", std::string(100'000, '{') + "}}",
        std::string(R"({"url":"x","bytes":-1,"format":"csv","expires":"2026-11-22T09:00:00Z"})"),
        std::string(R"({"url":"x","bytes":1.0,"format":"csv","expires":"2026-11-22T09:00:00Z"})"),
        std::string(R"({"url":"x","bytes":1,"format":"csv","expires":"2026-13-22T09:00:00Z"})")}) {
    Job job;
    set_result(job, text);
    EXPECT_EQ(job.result, text);
    EXPECT_FALSE(job.result_file) << text.substr(0, 200);
  }
}

}  // namespace
}  // namespace gaur
