// Adding, waiting, looking, cancelling: over a real socket.
#include "core/forwarding_store.hpp"
#include "http_fixture.hpp"

namespace gaur::http {
namespace {

using JobsOverHttp = HttpTest;

std::string text(const json::Value& value, std::string_view path) {
  const json::Value* found = json::find(value, path);
  return found != nullptr && found->is_string() ? std::string(std::string_view(found->get_string())) : "";
}

TEST_F(JobsOverHttp, an_added_job_is_there_with_its_data_byte_for_byte) {
  start();
  const std::string data = R"({"day" : 1.0, "big": 12345678901234567890, "ko":"검색어", "nul":"a\u0000b"})";
  const Answer added = ask("POST", "/v1/queues/query/jobs", R"({"name":"top","data":)" + data + "}");
  ASSERT_EQ(added.status, 202) << added.body;
  const std::string path = added.header("Location");
  EXPECT_EQ(path, text(added.parsed(), "url"));
  EXPECT_EQ(text(added.parsed(), "state"), "waiting");
  const Answer got = ask("GET", path);
  ASSERT_EQ(got.status, 200) << got.body;
  EXPECT_NE(got.body.find("\"data\":" + data), std::string::npos) << got.body;
}

TEST_F(JobsOverHttp, many_jobs_are_added_in_one_request) {
  start();
  const Answer added =
      ask("POST", "/v1/queues/q/jobs", R"([{"name":"a"},{"name":"b","options":{"delay":"1h"}}])");
  ASSERT_EQ(added.status, 202) << added.body;
  const auto list = added.parsed();
  ASSERT_EQ(list.as_array().size(), 2U);
  EXPECT_EQ(text(list.as_array()[1], "state"), "delayed");
  const auto queues = ask("GET", "/v1/queues").parsed();
  const auto& queue = queues.at("queues").as_array().at(0);
  EXPECT_EQ(text(queue, "name"), "q");
  EXPECT_EQ(json::integer(queue.at("counts").as_object(), "waiting"), 1);
  EXPECT_EQ(json::integer(queue.at("counts").as_object(), "delayed"), 1);
}

TEST_F(JobsOverHttp, a_wait_is_answered_with_the_result_as_soon_as_the_job_is_completed) {
  start();
  RawClient client(port_);
  client.send(request_text("POST", "/v1/queues/q/jobs?wait=30s", R"({"name":"a"})"));
  finish("q", take("q"), outcome::Completed{R"([{"n" : 1.50}])"});
  const Answer answer = client.receive();
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.body.find(R"("result":[{"n" : 1.50}])"), std::string::npos) << answer.body;
  EXPECT_EQ(ask("GET", answer.header("Location") + "/result").body, R"([{"n" : 1.50}])");
}

TEST_F(JobsOverHttp, a_result_arrives_although_retention_removes_the_job_as_it_finishes) {
  start();
  RawClient client(port_);
  client.send(request_text("POST", "/v1/queues/q/jobs?wait=30s", R"({"name":"a"})"));
  finish("q", take("q"), outcome::Completed{"42"}, Retention{0, {}});
  const Answer answer = client.receive();
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_NE(answer.body.find("\"result\":42"), std::string::npos) << answer.body;
}

TEST_F(JobsOverHttp, a_wait_that_is_over_reports_position_and_reason) {
  why_ = [](const WaitingJob& job) {
    return ready(std::optional<std::string>("needs 6 cores for " + job.function.value));
  };
  start();
  ask("POST", "/v1/queues/q/jobs", R"({"name":"first"})");
  const Answer answer = ask("POST", "/v1/queues/q/jobs?wait=20ms", R"({"name":"second"})");
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(json::integer(answer.parsed().as_object(), "position"), 1) << answer.body;
  EXPECT_EQ(text(answer.parsed(), "waiting.reason"), "needs 6 cores for second");
  EXPECT_FALSE(answer.header("Location").empty());
}

TEST_F(JobsOverHttp, a_job_that_is_looked_at_has_what_its_reason_is_made_of) {
  std::vector<WaitingJob> asked;
  why_ = [&asked](const WaitingJob& job) {
    asked.push_back(job);
    return ready(std::optional<std::string>("because"));
  };
  start();
  ask("POST", "/v1/queues/q/jobs", R"({"name":"now"})");
  ask("POST", "/v1/queues/q/jobs", R"({"name":"later","options":{"delay":60000}})");
  ask("POST", "/v1/queues/q/pause", "");
  for (const char* id : {"1", "2"}) {
    const Answer answer = ask("GET", std::string("/v1/queues/q/jobs/") + id);
    EXPECT_EQ(text(answer.parsed(), "waiting.reason"), "because") << answer.body;
  }
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_EQ(asked[0].state, State::kWaiting);
  EXPECT_TRUE(asked[0].position.has_value());
  EXPECT_FALSE(asked[0].due.has_value());
  EXPECT_EQ(asked[1].state, State::kDelayed);
  EXPECT_FALSE(asked[1].position.has_value());
  EXPECT_TRUE(asked[1].due.has_value());
  EXPECT_TRUE(asked[0].paused && asked[1].paused);
}

TEST_F(JobsOverHttp, a_failed_job_is_a_problem_for_those_who_wait_and_a_document_for_those_who_look) {
  start();
  RawClient client(port_);
  client.send(request_text("POST", "/v1/queues/q/jobs?wait=30s", R"({"name":"a"})"));
  const Taken taken = take("q");
  Failure failure;
  failure.code = "timeout";
  failure.message = "stopped after 60 s";
  finish("q", taken, outcome::Failed{failure, true});
  const Answer answer = client.receive();
  EXPECT_EQ(answer.status, 504);
  EXPECT_EQ(answer.header("Content-Type"), "application/problem+json");
  EXPECT_EQ(text(answer.parsed(), "failure.code"), "timeout") << answer.body;
  EXPECT_EQ(text(answer.parsed(), "instance"), "/v1/queues/q/jobs/" + taken.job.id.value);
  EXPECT_EQ(ask("GET", "/v1/queues/q/jobs/" + taken.job.id.value).status, 200);
  EXPECT_EQ(ask("GET", "/v1/queues/q/jobs/" + taken.job.id.value + "/result").status, 504);
}

TEST_F(JobsOverHttp, FailedAnswersCarryTheUsageOfTheRun) {
  start();
  RawClient client(port_);
  client.send(request_text("POST", "/v1/queues/q/jobs?wait=30s", R"({"name":"a"})"));
  const Taken taken = take("q");
  const Usage usage{.cpu_us = 7, .peak_rss_bytes = 8, .wall_us = 9, .details = R"({"rows":1})"};
  finish("q", taken, outcome::Failed{{.code = "memory", .message = "over its memory"}, true}, {}, usage);
  const std::string wanted =
      R"("attempts_made":1,"usage":{"cpu_us":7,"peak_rss_bytes":8,"wall_us":9,"details":{"rows":1}}})";
  const Answer waited = client.receive();
  EXPECT_EQ(waited.status, 500);
  EXPECT_NE(waited.body.find(wanted), std::string::npos) << waited.body;
  const Answer result = ask("GET", "/v1/queues/q/jobs/" + taken.job.id.value + "/result");
  EXPECT_EQ(result.status, 500);
  EXPECT_NE(result.body.find(wanted), std::string::npos) << result.body;
}

/// Cannot read jobs.
class UnreadableStore final : public ForwardingStore {
 public:
  explicit UnreadableStore(Store& store) : store_(store) {}
  Async<Job> get(JobRef) override {
    return ready(Result<Job>(Error{Errc::kDisconnected, "the store is away"}));
  }

 private:
  Store& inner() const override { return store_; }
  Store& store_;
};

TEST_F(JobsOverHttp, AnAddWhoseWaitFailsIsAnsweredWithItsId) {
  const auto expect_receipts = [this](const std::string& queue) {
    const std::string target = "/v1/queues/" + queue + "/jobs?wait=200ms";
    const Answer one = ask("POST", target, R"({"name":"a"})");
    EXPECT_EQ(one.status, 202) << one.body;
    EXPECT_FALSE(text(one.parsed(), "id").empty());
    EXPECT_EQ(one.header("Location"), "/v1/queues/" + queue + "/jobs/" + text(one.parsed(), "id"));
    const Answer many = ask("POST", target, R"([{"name":"a"},{"name":"b"},{"name":"c"}])");
    EXPECT_EQ(many.status, 202) << many.body;
    const json::Value all = many.parsed();
    ASSERT_TRUE(all.is_array());
    EXPECT_EQ(all.as_array().size(), 3U);
    for (const json::Value& each : all.as_array()) EXPECT_FALSE(text(each, "id").empty()) << many.body;
  };
  client_options_.max_waits = 0;  // the client's own limit, which one request with many jobs reaches
  start();
  expect_receipts("full");
  TearDown();
  client_options_.max_waits = 2;
  start();
  const Answer some =
      ask("POST", "/v1/queues/some/jobs?wait=20ms", R"([{"name":"a"},{"name":"b"},{"name":"c"}])");
  EXPECT_EQ(some.status, 202) << some.body;
  EXPECT_EQ(some.parsed().as_array().size(), 3U);
  TearDown();
  UnreadableStore unreadable(*measured_);
  std::unique_ptr<Store> whole = std::exchange(measured_, make_measured_store(unreadable, metrics_, clock_));
  client_options_.max_waits = 100;
  start();
  expect_receipts("unreadable");
  TearDown();
  measured_ = std::move(whole);
}

TEST_F(JobsOverHttp, AnAddWhoseJobIsRemovedWhileItWaitsIsAnsweredWithItsId) {
  start();
  RawClient client(port_);
  client.send(request_text("POST", "/v1/queues/q/jobs?wait=500ms", R"({"name":"a","options":{"id":"x"}})"));
  int status = 0;
  for (int i = 0; i < 10'000 && status != 204; ++i) status = ask("DELETE", "/v1/queues/q/jobs/x").status;
  const Answer answer = client.receive();
  EXPECT_EQ(answer.status, 202) << answer.body;
  EXPECT_EQ(text(answer.parsed(), "id"), "x");
}

TEST_F(JobsOverHttp, AnOwnIdWithOtherContentIsADuplicate) {
  start();
  const auto add = [&](const std::string& job, const std::string& query = "") {
    return ask("POST", "/v1/queues/q/jobs" + query, job);
  };
  ASSERT_EQ(add(R"({"name":"a","data":{"n":1.50,"m":[1]},"options":{"id":"x"}})").status, 202);
  const Answer same = add(R"({"name":"a","data":{"m": [1], "n": 1.50},"options":{"id":"x"}})");
  EXPECT_EQ(same.status, 202) << same.body;
  EXPECT_NE(same.body.find(R"("id":"x")"), std::string::npos);
  EXPECT_NE(same.body.find(R"("duplicate":true})"), std::string::npos) << same.body;
  for (const char* other : {R"({"name":"a","data":{"n":1.51,"m":[1]},"options":{"id":"x"}})",
                            R"({"name":"b","data":{"n":1.50,"m":[1]},"options":{"id":"x"}})",
                            R"({"name":"a","options":{"id":"x"}})"}) {
    for (const char* query : {"", "?wait=20ms"}) {
      const Answer refused = add(other, query);
      EXPECT_EQ(refused.status, 409) << other << refused.body;
      EXPECT_EQ(text(refused.parsed(), "type"), "urn:gaur:problem:duplicate");
      EXPECT_EQ(text(refused.parsed(), "instance"), "/v1/queues/q/jobs/x");
      EXPECT_EQ(refused.header("Location"), "/v1/queues/q/jobs/x");
    }
  }
  const Answer many =
      add(R"([{"name":"new"},{"name":"b","options":{"id":"x"}},{"name":"y","options":{"id":"y"}}])");
  ASSERT_EQ(many.status, 202) << many.body;
  EXPECT_NE(many.body.find(R"("duplicate":true,"differs":true})"), std::string::npos) << many.body;
  const Answer waited = add(R"([{"name":"b","options":{"id":"x"}}])", "?wait=20ms");
  EXPECT_NE(waited.body.find(R"("duplicate":true,"differs":true,)"), std::string::npos) << waited.body;
  EXPECT_EQ(json::integer(ask("GET", "/v1/queues/q").parsed().at("counts").as_object(), "waiting"), 3);
}

TEST_F(JobsOverHttp, EveryFormOfAnswerSaysThatAnAddWasADuplicate) {
  declare({function("a", "q")});
  start();
  const auto check = [&](unsigned status) {
    const std::vector<std::pair<std::string, std::string>> adds{
        {"/v1/queues/q/jobs", R"({"name":"a","options":{"id":"x"}})"},
        {"/v1/queues/q/jobs?wait=20ms", R"({"name":"a","options":{"id":"x"}})"},
        {"/v1/queues/q/jobs", R"([{"name":"a","options":{"id":"x"}}])"},
        {"/v1/queues/q/jobs?wait=20ms", R"([{"name":"a","options":{"id":"x"}}])"},
        {"/v1/functions/a?id=x", "{}"},
        {"/v1/functions/a?id=x&wait=20ms", "{}"}};
    for (const auto& [target, body] : adds) {
      const Answer answer = ask("POST", target, body);
      const bool waits = target.find("wait") != std::string::npos;
      EXPECT_EQ(answer.status, !waits                                 ? 202U
                               : status == 422 && body.front() == '[' ? 200U
                                                                      : status)
          << target;
      EXPECT_NE(answer.body.find(R"("duplicate":true)"), std::string::npos) << target << answer.body;
    }
  };
  EXPECT_EQ(ask("POST", "/v1/functions/a?id=x&wait=20ms", "{}").body.find("duplicate"), std::string::npos);
  check(202);
  const Taken taken = take("q");
  check(202);
  finish("q", taken, outcome::Completed{"1"});
  check(200);
  EXPECT_EQ(ask("DELETE", "/v1/queues/q/jobs/x").status, 204);
  EXPECT_EQ(ask("POST", "/v1/functions/a?id=x", "{}").body.find("duplicate"), std::string::npos);
  finish("q", take("q"), outcome::Failed{{.code = "error", .message = "no"}, true});
  check(422);
}

TEST_F(JobsOverHttp, AFunctionsBodyIsStoredByteForByteBehindTheQueuesFunctionField) {
  FunctionInfo by_field = function("a", "q");
  by_field.function_field = "func";
  declare({by_field});
  start();
  const std::string inside = R"( "z" : 1.0, "big":12345678901234567890.10, "a":1, "a":2, "ko":"검색어" })";
  const Answer added = ask("POST", "/v1/functions/a", "{" + inside);
  ASSERT_EQ(added.status, 202) << added.body;
  const Answer got = ask("GET", added.header("Location"));
  EXPECT_NE(got.body.find(R"("data":{"func":"a",)" + inside), std::string::npos) << got.body;
  const std::string same = R"({"a":1,  "func":"a"})";
  const Answer unchanged = ask("POST", "/v1/functions/a", same);
  ASSERT_EQ(unchanged.status, 202) << unchanged.body;
  EXPECT_NE(ask("GET", unchanged.header("Location")).body.find("\"data\":" + same), std::string::npos);
  const Answer other = ask("POST", "/v1/functions/a", R"({"func":"b"})");
  EXPECT_EQ(other.status, 400) << other.body;
  EXPECT_EQ(text(other.parsed(), "type"), "urn:gaur:problem:invalid_argument");
}

TEST_F(JobsOverHttp, DigitsBeyondADoubleStillDiffer) {
  start();
  const std::string digits = "12345678901234567890123";
  const auto add = [&](const std::string& number) {
    return ask("POST", "/v1/queues/q/jobs", R"({"name":"a","data":)" + number + R"(,"options":{"id":"n"}})");
  };
  EXPECT_EQ(add(digits + "1").status, 202);
  EXPECT_EQ(add(digits + "1").status, 202);
  EXPECT_EQ(add(digits + "2").status, 409);
}

TEST_F(JobsOverHttp, several_jobs_are_waited_for_together) {
  start();
  RawClient client(port_);
  client.send(request_text("POST", "/v1/queues/q/jobs?wait=30s", R"([{"name":"a"},{"name":"b"}])"));
  finish("q", take("q"), outcome::Completed{"1"});
  finish("q", take("q"), outcome::Completed{"2"});
  const Answer answer = client.receive();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.parsed().as_array().size(), 2U);
}

TEST_F(JobsOverHttp, retry_promote_cancel_remove_and_pause_do_as_they_say) {
  start();
  const std::string path =
      ask("POST", "/v1/queues/q/jobs", R"({"name":"a","options":{"delay":"1h"}})").header("Location");
  EXPECT_EQ(ask("POST", path + "/promote").status, 204);
  EXPECT_EQ(ask("POST", path + "/promote").status, 409);
  EXPECT_EQ(ask("POST", path + "/cancel", R"({"why":"not needed"})").body, R"({"cancel":"removed"})");
  EXPECT_EQ(text(ask("GET", path).parsed(), "state"), "failed");
  EXPECT_EQ(ask("POST", path + "/retry?reset_attempts=true").status, 204);
  EXPECT_EQ(text(ask("GET", path).parsed(), "state"), "waiting");
  EXPECT_EQ(ask("POST", "/v1/queues/q/pause").status, 204);
  EXPECT_TRUE(ask("GET", "/v1/queues/q").parsed().at("paused").as_bool());
  EXPECT_EQ(ask("POST", "/v1/queues/q/resume").status, 204);
  EXPECT_EQ(ask("DELETE", path).status, 204);
  EXPECT_EQ(ask("GET", path).status, 404);
}

TEST_F(JobsOverHttp, a_list_goes_page_by_page) {
  start();
  for (int i = 0; i < 5; ++i) ask("POST", "/v1/queues/q/jobs", R"({"name":"n)" + std::to_string(i) + R"("})");
  const auto page = ask("GET", "/v1/queues/q/jobs?state=waiting&offset=2&limit=2").parsed();
  const auto& jobs = page.at("jobs").as_array();
  ASSERT_EQ(jobs.size(), 2U);
  EXPECT_EQ(text(jobs[0], "name"), "n2");
  EXPECT_EQ(ask("GET", "/v1/queues/q/jobs?state=no").status, 400);
  EXPECT_EQ(ask("GET", "/v1/queues/q/jobs?limit=1000000000").status, 400);
  EXPECT_EQ(ask("GET", "/v1/queues/q/jobs?offset=-1").status, 400);
  EXPECT_EQ(ask("GET", "/v1/queues/q/jobs?page=1").status, 400);
}

TEST_F(JobsOverHttp, a_full_queue_says_when_to_come_again) {
  client_options_.max_waiting[QueueName("q")] = 1;
  start();
  EXPECT_EQ(ask("POST", "/v1/queues/q/jobs", R"({"name":"a"})").status, 202);
  const Answer full = ask("POST", "/v1/queues/q/jobs", R"({"name":"a"})");
  EXPECT_EQ(full.status, 429);
  EXPECT_EQ(full.header("Retry-After"), "5");
  EXPECT_EQ(text(full.parsed(), "type"), "urn:gaur:problem:queue_full");
}

TEST_F(JobsOverHttp, an_idempotency_key_makes_a_repeat_harmless) {
  start();
  const std::string_view key = "Idempotency-Key: order-7\r\n";
  const Answer first = ask("POST", "/v1/queues/q/jobs", R"({"name":"a","data":{"x":1}})", key);
  const Answer again = ask("POST", "/v1/queues/q/jobs", R"({"name":"a","data":{"x":1}})", key);
  EXPECT_EQ(again.status, 202);
  EXPECT_EQ(again.body, first.body);
  const Answer other = ask("POST", "/v1/queues/q/jobs", R"({"name":"a","data":{"x":2}})", key);
  EXPECT_EQ(other.status, 409);
  EXPECT_EQ(text(other.parsed(), "type"), "urn:gaur:problem:already_exists");
}

TEST_F(JobsOverHttp, a_function_is_called_by_its_name) {
  FunctionInfo top = function("top", "query");
  top.pool = "sql";
  declare({top});
  start();
  RawClient client(port_);
  client.send(request_text("POST", "/v1/functions/top?wait=30s&priority=3", R"({"region":"서울"})"));
  const Taken taken = take("query");
  EXPECT_EQ(taken.job.name, "top");
  EXPECT_EQ(taken.job.data, R"({"region":"서울"})");
  EXPECT_EQ(taken.job.priority, 3U);
  finish("query", taken, outcome::Completed{"[]"});
  EXPECT_EQ(client.receive().status, 200);
  const Answer unknown = ask("POST", "/v1/functions/topp", "{}");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_NE(unknown.body.find("known are: top"), std::string::npos) << unknown.body;
  EXPECT_EQ(ask("GET", "/v1/functions").parsed().at("functions").as_array().size(), 1U);
}

TEST_F(JobsOverHttp, events_are_streamed_as_they_happen) {
  start();
  RawClient listener(port_);
  listener.send(request_text("GET", "/v1/queues/q/events"));
  ASSERT_TRUE(listener.read_until(": nothing new"));
  EXPECT_NE(ask("GET", "/metrics").body.find("\ngaur_http_waits 1\n"), std::string::npos);
  ask("POST", "/v1/queues/q/jobs", R"({"name":"a"})");
  EXPECT_TRUE(listener.read_until("event: added\ndata: {\"id\":"));
  finish("q", take("q"), outcome::Completed{"7"});
  EXPECT_TRUE(listener.read_until("event: completed\n")) << listener.received();
}

TEST_F(JobsOverHttp, the_metrics_tell_adds_starts_and_ends) {
  start();
  ask("POST", "/v1/queues/q/jobs", R"([{"name":"f"},{"name":"f"}])");
  finish("q", take("q"), outcome::Completed{"7"});
  const std::string metrics = ask("GET", "/metrics").body;
  for (const std::string line :
       {"gaur_jobs_added_total{queue=\"q\"} 2\n", "gaur_jobs_started_total{queue=\"q\",function=\"f\"} 1\n",
        "gaur_jobs_finished_total{queue=\"q\",function=\"f\",outcome=\"completed\"} 1\n",
        "gaur_job_run_seconds_count{queue=\"q\",function=\"f\"} 1\n",
        "gaur_jobs{queue=\"q\",state=\"waiting\"} 1\n"}) {
    EXPECT_NE(metrics.find(line), std::string::npos) << line << metrics;
  }
}

}  // namespace
}  // namespace gaur::http
