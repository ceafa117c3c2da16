// Validation, idempotency keys, calls, Retry-After.
#include <gmock/gmock.h>

#include "api/call.hpp"
#include "api_fixture.hpp"

namespace gaur {
namespace {

TEST_F(ClientTest, ReportsAllProblemsOfAllJobs) {
  make();
  NewJob bad = job("", "{");
  bad.options.priority = 3'000'000;
  const auto problems = client_->problems(QueueName("a\xFF"), {job("ok"), bad});
  ASSERT_EQ(problems.size(), 4U);
  EXPECT_TRUE(problems[0].starts_with("queue name: ")) << problems[0];
  for (std::size_t i = 1; i < 4; ++i) EXPECT_TRUE(problems[i].starts_with("jobs[1].")) << problems[i];
  const auto refused = now(client_->add(QueueName("q"), {bad}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kInvalidArgument);
  EXPECT_TRUE(now(client_->queues())->empty());
}

/// The host's own store: queue q, functions top and, by a field of the data, rank in queue by-field.
ClientOptions own_store() {
  ClientOptions options;
  const auto catalog = std::make_shared<FunctionCatalog>();
  for (const char* name : {"top", "rank"}) catalog->functions[FunctionName(name)].name = FunctionName(name);
  catalog->function_field[QueueName("by-field")] = "func";
  options.functions = catalog;
  options.own_queues = {QueueName("q"), QueueName("by-field")};
  return options;
}

TEST_F(ClientTest, RejectsJobsThatNoWorkerServes) {
  make(own_store());
  const auto refused = [&](const char* queue, std::vector<NewJob> jobs) {
    const auto added = now(client_->add(QueueName(queue), std::move(jobs)));
    EXPECT_FALSE(added);
    return added ? Error{Errc::kInternal, "added"} : added.error();
  };
  const Error function = refused("q", {job("tpo")});
  EXPECT_EQ(function.code, Errc::kNotFound);
  EXPECT_EQ(function.message, "unknown function \"tpo\"; did you mean \"top\"? known are: rank, top");
  EXPECT_EQ(refused("q", {job("top"), job("nothing-like-it")}).message,
            "jobs[1]: unknown function \"nothing-like-it\"; known are: rank, top");
  const Error queue = refused("by-feld", {job("top")});
  EXPECT_EQ(queue.code, Errc::kNotFound);
  EXPECT_EQ(queue.message, "unknown queue \"by-feld\"; did you mean \"by-field\"? known are: by-field, q");
  EXPECT_EQ(refused("by-field", {job("top", R"({"func":"rnk"})")}).message,
            "unknown function \"rnk\"; did you mean \"rank\"? known are: rank, top");
  EXPECT_TRUE(now(client_->queues())->empty()) << "nothing of a rejected request is stored";
}

TEST_F(ClientTest, RejectsUnknownNamesOnlyInItsOwnStore) {
  make(own_store());
  EXPECT_TRUE(now(client_->add(QueueName("q"), {job("top"), job("rank")})));
  EXPECT_TRUE(now(client_->add(QueueName("by-field"), {job("anything", R"({"func":"rank"})")})));
  EXPECT_TRUE(now(client_->add(QueueName("by-field"), {job("top", "{}")}))) << "without the field: its name";
  client_.reset();
  ClientOptions shared = own_store();
  shared.own_queues.reset();
  make(shared);
  EXPECT_TRUE(now(client_->add(QueueName("other"), {job("tpo")}))) << "others may serve it";
}

TEST_F(ClientTest, RejectsUnknownQueuesOfItsOwnStore) {
  make(own_store());
  const std::string known = "unknown queue \"by-feld\"; did you mean \"by-field\"? known are: by-field, q";
  const auto check = [&](const QueueName& queue, const auto& test) {
    RangeRequest range;
    range.queue = queue;
    test("pause", now(client_->pause(queue)));
    test("resume", now(client_->resume(queue)));
    test("counts", now(client_->counts(queue)));
    test("range", now(client_->range(range)));
    test("cursor", now(client_->cursor(queue)));
    test("events", now(client_->events(queue, "$", 1, Duration{0})));
  };
  const auto accepted = [](const char* verb, const auto& answer) {
    EXPECT_TRUE(answer) << verb << ": " << answer.error().message;
  };
  check(QueueName("by-feld"), [&](const char* verb, const auto& answer) {
    ASSERT_FALSE(answer) << verb;
    EXPECT_EQ(answer.error().code, Errc::kNotFound) << verb;
    EXPECT_EQ(answer.error().message, known) << verb;
  });
  EXPECT_TRUE(now(client_->queues())->empty()) << "nothing was created";
  check(QueueName("by-field"), accepted);
  ASSERT_TRUE(now(store_.pause(QueueName("configured-once"))));
  check(QueueName("configured-once"), accepted);
  client_.reset();
  make();
  check(QueueName("of-a-peer"), accepted);
}

TEST_F(ClientTest, ReturnsFirstReplyToRepeatedKey) {
  make();
  AddOptions keyed;
  keyed.idempotency_key = "k";
  const auto first = now(client_->add(QueueName("q"), {job("a", "1")}, keyed));
  EXPECT_EQ(now(client_->add(QueueName("q"), {job("a", "1")}, keyed)), first);
  EXPECT_EQ(now(client_->add(QueueName("q"), {job("a", "2")}, keyed)).error().code, Errc::kAlreadyExists);
  EXPECT_TRUE(now(client_->add(QueueName("other"), {job("a", "2")}, keyed)));
  EXPECT_EQ(now(client_->counts(QueueName("other")))->ready(), 1U);
  EXPECT_EQ(now(client_->counts(QueueName("q")))->ready(), 1U);
}

TEST_F(ClientTest, RecognizesKeyAfterRestart) {
  make();
  AddOptions keyed;
  keyed.idempotency_key = "k";
  const auto first = now(client_->add(QueueName("q"), {job("a", "1"), job("b", "2")}, keyed));
  ASSERT_TRUE(first);
  client_.reset();
  store_.crash_and_reopen();
  make();  // knows no keys
  EXPECT_EQ(now(client_->add(QueueName("q"), {job("a", "1"), job("b", "2")}, keyed)), first);
  client_.reset();
  make();
  EXPECT_EQ(now(client_->add(QueueName("q"), {job("a", "9"), job("b", "2")}, keyed)).error().code,
            Errc::kAlreadyExists);
  client_.reset();
  make();
  EXPECT_EQ(now(client_->add(QueueName("q"), {job("a", "1")}, keyed)).error().code, Errc::kAlreadyExists);
  EXPECT_EQ(now(client_->counts(QueueName("q")))->ready(), 2U);
}

TEST_F(ClientTest, FreesKeyOfRejectedRequest) {
  ClientOptions options;
  options.max_waiting[QueueName("q")] = 1;
  make(options);
  add("q", {job("first")});
  AddOptions keyed;
  keyed.idempotency_key = "k";
  EXPECT_EQ(now(client_->add(QueueName("q"), {job("a")}, keyed)).error().code, Errc::kQueueFull);
  take("q");
  EXPECT_TRUE(now(client_->add(QueueName("q"), {job("changed")}, keyed)));
}

TEST_F(ClientTest, RejectsUnprintableKeys) {
  make();
  for (const std::string key : {"a b", "\n", "\x7f", "\xea\xb0\x80"}) {
    AddOptions keyed;
    keyed.idempotency_key = key;
    EXPECT_EQ(now(client_->add(QueueName("q"), {job("a")}, keyed)).error().code, Errc::kInvalidArgument);
  }
}

TEST_F(ClientTest, ComputesRetryAfterFromFinishRate) {
  ClientOptions options;
  options.max_waiting[QueueName("q")] = 1'000;
  make(options);
  EXPECT_EQ(client_->retry_after(QueueName("q")).count(), 5);
  for (int i = 0; i < 10; ++i) {
    add("q", {job("a")});
    finish("q", take("q"), outcome::Completed{"1"});
    env_.clock.advance(Duration(1'000));
  }
  // One a second; ten places, a hundredth of the line, are free after ten seconds (eleven were counted in
  // full).
  EXPECT_NEAR(static_cast<double>(client_->retry_after(QueueName("q")).count()), 11, 1);
  env_.clock.advance(Duration(120'000));
  EXPECT_EQ(client_->retry_after(QueueName("q")).count(), 5);
}

FunctionInfo function(std::string field, std::string params) {
  FunctionInfo info;
  info.name = FunctionName("top");
  info.queue = QueueName("q");
  info.function_field = std::move(field);
  info.params_path = std::move(params);
  return info;
}

TEST(Call, PlacesParametersAndNameForTheQueue) {
  const auto composed = [](const FunctionInfo& info, const std::string& parameters) {
    const auto data = compose_data(info, parameters);
    return data ? *data : "! " + data.error().message;
  };
  EXPECT_EQ(composed(function("", ""), R"({ "a" : 1.0 })"), R"({ "a" : 1.0 })");
  EXPECT_EQ(composed(function("func", ""), R"({ "a" : 1.0 })"), R"({"func":"top", "a" : 1.0 })");
  EXPECT_EQ(composed(function("func", ""), "{ }"), R"({"func":"top" })");
  EXPECT_EQ(composed(function("", "params"), R"({"a":1})"), R"({"params":{"a":1}})");
  EXPECT_EQ(composed(function("func", "params"), R"({"a":1})"), R"({"func":"top","params":{"a":1}})");
  EXPECT_EQ(composed(function("call.func", "call.params.in"), R"({"a":1})"),
            R"({"call":{"func":"top","params":{"in":{"a":1}}}})");
  EXPECT_EQ(composed(function("call.func", ""), R"( {"a":1, "call" : { "b":1e400 } })"),
            R"( {"a":1, "call" : {"func":"top", "b":1e400 } })");
  EXPECT_TRUE(composed(function("", ""), "[1]").starts_with("! "));
}

TEST(Call, KeepsNameOfCalledFunctionInBody) {
  const auto composed = [](const FunctionInfo& info, const std::string& parameters) {
    const auto data = compose_data(info, parameters);
    return data ? *data : "! " + data.error().message;
  };
  for (const char* kept :
       {R"({ "n": 12345678901234567890.10, "func" : "top", "n": 2 })", R"({"f\u0075nc":"t\u006fp"})"})
    EXPECT_EQ(composed(function("func", ""), kept), kept);
  const char* nested = R"({"call":{"x":[1.0,  2],"func":"top"}})";
  EXPECT_EQ(composed(function("call.func", ""), nested), nested);
  const std::vector<std::tuple<const char*, const char*, const char*>> wrong{
      {"func", R"({"func":"other"})", R"(must be "top", was "other")"},
      {"func", R"({"func":1})", R"(must be "top", was 1)"},
      {"func", R"({"func":"top","func":"other"})", "func: given twice"},
      {"call.func", R"({"call":7})", R"(call.func: queue "q" reads a job's function from this field)"},
      {"call.func", R"({"call":{"func":null}})", R"(must be "top", was null)"}};
  for (const auto& [field, parameters, message] : wrong)
    EXPECT_THAT(composed(function(field, ""), parameters), testing::HasSubstr(message)) << parameters;
}

TEST_F(ClientTest, BoundQueuesThatAreNotConfigured) {
  ClientOptions options;
  options.configured_queues = {{QueueName("own")}};
  options.max_other_queues = 2;
  make(options);
  EXPECT_EQ(add("own", {job("a")}).size(), 1U);
  EXPECT_EQ(add("x", {job("a")}).size(), 1U);
  EXPECT_TRUE(now(client_->pause(QueueName("y"))));
  for (int i = 0; i < 5'000; ++i) {
    const QueueName queue("new-" + std::to_string(i));
    const auto added = now(client_->add(queue, {job("a")}));
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().code, Errc::kPermission);
    EXPECT_NE(added.error().message.find("server.max_other_queues allows 2"), std::string::npos)
        << added.error().message;
    EXPECT_EQ(now(client_->pause(queue)).error().code, Errc::kPermission);
  }
  EXPECT_EQ(add("x", {job("a")}).size(), 1U) << "a queue that was accepted stays accepted";
  EXPECT_EQ(add("y", {job("a")}).size(), 1U);
  EXPECT_EQ(now(client_->queues())->size(), 3U);
}

TEST_F(ClientTest, CountOtherQueuesInOneSeries) {
  measured_ = make_measured_store(store_, metrics_, env_.clock, {{QueueName("own")}});
  ClientOptions options;
  options.configured_queues = {{QueueName("own")}};
  make(options);
  add("own", {job("a")});
  for (int i = 0; i < 50; ++i) add("new-" + std::to_string(i), {job("a"), job("b")});
  EXPECT_TRUE(now(client_->pause(QueueName("new-7"))));
  const auto text = now(client_->metrics());
  ASSERT_TRUE(text);
  EXPECT_EQ(text->find("new-"), std::string::npos) << *text;
  for (const char* line :
       {"gaur_jobs{queue=\"own\",state=\"waiting\"} 1\n",
        "gaur_jobs{queue=\"other\",state=\"waiting\"} 100\n", "gaur_queue_paused{queue=\"other\"} 1\n",
        "gaur_queue_paused{queue=\"own\"} 0\n", "gaur_jobs_added_total{queue=\"own\"} 1\n",
        "gaur_jobs_added_total{queue=\"other\"} 100\n"}) {
    EXPECT_NE(text->find(line), std::string::npos) << line << *text;
  }
}

}  // namespace
}  // namespace gaur
