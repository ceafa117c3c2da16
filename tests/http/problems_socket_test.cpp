// Every kind of mistake and the document that answers it, held in golden/problems.txt. After a wanted change:
// GAUR_UPDATE_GOLDEN=1 build/dev/bin/http_problems_socket_test, and read the difference.
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "http_fixture.hpp"

namespace gaur::http {
namespace {

class Problems : public HttpTest {
 protected:
  void record(std::string_view method, std::string_view target, std::string_view body = {},
              std::string_view headers = {}) {
    const Answer answer = ask(method, target, body, headers);
    EXPECT_GE(answer.status, 400) << method << " " << target;
    EXPECT_EQ(answer.header("Content-Type"), "application/problem+json");
    reported_ += std::string(method) + " " + std::string(target) + "\n";
    if (!headers.empty()) reported_ += "  " + std::string(headers.substr(0, headers.size() - 2)) + "\n";
    if (!body.empty()) reported_ += "  " + std::string(body.substr(0, 300)) + "\n";
    reported_ += answer.body + "\n";
  }
  std::string reported_;
};

TEST_F(Problems, equal_the_golden_file) {
  options_.limits.body = 500;
  client_options_.max_waiting[QueueName("small")] = 1;
  declare({function("rank", "query"), function("top_keywords", "query")});
  start();
  record("GET", "/nothing");
  record("PUT", "/v1/queues/q/jobs");
  record("GET", "/v1/queues/a%FFb");
  record("GET", "/v1/queues/q/jobs/7");
  record("GET", "/v1/queues/q/jobs/a%0Ab");
  record("GET", "/v1/queues/q/jobs?state=done&limit=0&offset=x&order=up");
  record("GET", "/v1/queues/q/jobs?page=1");
  record("GET", "/v1/queues/q/jobs/7?wait=soon");
  record("GET", "/v1/queues/q/jobs/7?wait=2m");
  record("POST", "/v1/queues/q/jobs");
  record("POST", "/v1/queues/q/jobs", "{\"name\":\"a\",\n  oops}");
  record("POST", "/v1/queues/q/jobs", R"({"name":"a","data":{"x":1,}})");
  record(
      "POST", "/v1/queues/q/jobs",
      R"({"name":"","data":1,"options":{"priority":3000000,"attempts":-1,"delay":"soon","colour":"red"}})");
  record("POST", "/v1/queues/q/jobs",
         R"([{"name":"a"},{"nam":"b"},{"name":"c","options":{"id":"17","timeout":0}}])");
  record("POST", "/v1/queues/q/jobs", "{\"name\":\"\xff\"}");
  record("POST", "/v1/queues/q/jobs", "\"" + std::string(600, 'x') + "\"");
  record("POST", "/v1/queues/q/jobs", "name=a", "Content-Type: application/x-www-form-urlencoded\r\n");
  record("POST", "/v1/queues/q/jobs", R"({"name":"a"})", "Origin: https://evil.example\r\n");
  record("POST", "/v1/queues/q/jobs", R"({"name":"a"})", "Idempotency-Key: two words\r\n");
  record("POST", "/v1/functions/topkeywords", "{}");
  record("POST", "/v1/functions/rank", "[1]");
  record("POST", "/v1/functions/rank?priority=first", "{}");
  record("POST", "/v1/functions/rank?priority=1.5&attempts=0&delay=soon&wait=2h", "{}");
  record("POST", "/v1/queues/q/jobs?wait=long",
         R"([{"name":"a","options":{"priority":1.5,"attempts":0}},{"nam":"b"}])");
  ask("POST", "/v1/queues/small/jobs", R"({"name":"a"})", "Idempotency-Key: k1\r\n");
  record("POST", "/v1/queues/small/jobs", R"({"name":"a"})");
  record("POST", "/v1/queues/small/jobs", R"({"name":"b"})", "Idempotency-Key: k1\r\n");
  record("POST", "/v1/queues/small/jobs/1/retry");
  record("GET", "/v1/queues/small/jobs/1/result");
  const Taken taken = take("small");
  record("DELETE", "/v1/queues/small/jobs/1");
  Failure failure;
  failure.code = "parameter";
  failure.message = "parameter region is missing";
  failure.details = R"({"parameter":"region"})";
  finish("small", taken, outcome::Failed{failure, true});
  record("GET", "/v1/queues/small/jobs/1/result");

  const std::string path = GAUR_SOURCE_DIR "/tests/http/golden/problems.txt";
  if (std::getenv("GAUR_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << reported_;
    return;
  }
  std::ifstream file(path);
  std::stringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(reported_, golden.str());
}

}  // namespace
}  // namespace gaur::http
