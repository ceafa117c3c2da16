// Who may ask and from where: tokens, hosts, origins, content types, exposure.
#include "http/audit.hpp"
#include "http/router.hpp"
#include "http_fixture.hpp"

namespace gaur::http {
namespace {

constexpr std::string_view kToken = "correct-horse-battery";
const std::string kRight = "Authorization: Bearer correct-horse-battery\r\n";
const std::string kJob = R"({"name":"a"})";

using Access_ = HttpTest;

/// The pattern with something in the place of each {name}.
std::string path_of(std::string_view pattern) {
  std::string out;
  bool inside = false;
  for (const char c : pattern) {
    if (c == '{') out += 'x';
    if (c == '{' || c == '}')
      inside = c == '{';
    else if (!inside)
      out += c;
  }
  return out;
}

TEST_F(Access_, every_route_but_healthz_and_signed_links_wants_the_token) {
  options_.token = kToken;
  options_.limits.wrong_tokens = 1'000;
  start();
  std::size_t open = 0;
  for (const Route& route : routes()) {
    const Answer without = ask(route.method, path_of(route.pattern));
    if (route.pattern == "/v1/files/{queue}/{id}") {  // the signature of the link takes the token's place
      EXPECT_EQ(without.status, 403);
      continue;
    }
    if (without.status == 200) {
      ++open;
      EXPECT_EQ(route.pattern, "/healthz");
      continue;
    }
    EXPECT_EQ(without.status, 401) << route.method << " " << route.pattern;
    EXPECT_EQ(without.header("WWW-Authenticate"), "Bearer");
    EXPECT_EQ(ask(route.method, path_of(route.pattern), {}, "Authorization: Bearer correct-horse-batterz\r\n")
                  .status,
              401);
    EXPECT_EQ(ask(route.method, path_of(route.pattern), {}, "Authorization: Basic Y29ycmVjdA==\r\n").status,
              401);
    EXPECT_NE(ask(route.method == "GET" ? "HEAD" : route.method, path_of(route.pattern), {}, kRight).status,
              401);
  }
  EXPECT_EQ(open, 1U);
  EXPECT_EQ(ask("GET", "/nothing/here").status, 401);
  EXPECT_EQ(ask("POST", "/v1/queues/q/jobs", kJob, kRight).status, 202);
}

TEST_F(Access_, behind_a_trusted_proxy_wrong_tokens_are_counted_by_client) {
  options_.token = kToken;
  options_.trusted_proxies = {"127.0.0.1"};
  start();
  const auto guess = [this](const std::string& from) {
    return ask("GET", "/v1/queues", {}, "Authorization: Bearer guess\r\nX-Forwarded-For: " + from + "\r\n")
        .status;
  };
  for (int i = 0; i < 10; ++i) EXPECT_EQ(guess("192.0.2.7"), 401);
  EXPECT_EQ(guess("192.0.2.7"), 429);
  EXPECT_EQ(guess("192.0.2.8"), 401);
}

TEST_F(Access_, answered_addresses_begin_with_the_base_path) {
  options_.base_path = "/gaur";
  start();
  const Answer added = ask("POST", "/gaur/v1/queues/q/jobs", kJob);
  EXPECT_EQ(added.status, 202);
  EXPECT_EQ(added.header("Location"), "/gaur/v1/queues/q/jobs/1");
  EXPECT_NE(added.body.find(R"("url":"/gaur/v1/queues/q/jobs/1")"), std::string::npos) << added.body;
  EXPECT_EQ(ask("GET", "/gaur/v1/queues/q/jobs/1").status, 200);
  EXPECT_NE(ask("GET", "/v1/queues/q/jobs/1").body.find("/gaur/v1"), std::string::npos);
  EXPECT_EQ(ask("GET", "/other/v1/queues/q/jobs/1").status, 404);
}

TEST_F(Access_, wrong_tokens_are_throttled_and_the_right_one_is_not) {
  options_.token = kToken;
  start();
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(ask("GET", "/v1/queues", {}, "Authorization: Bearer guess\r\n").status, 401);
  const Answer throttled = ask("GET", "/v1/queues", {}, "Authorization: Bearer guess\r\n");
  EXPECT_EQ(throttled.status, 429);
  EXPECT_EQ(throttled.header("Retry-After"), "60");
  EXPECT_EQ(throttled.body.find("guess"), std::string::npos);
  EXPECT_EQ(ask("GET", "/v1/queues", {}, kRight).status, 200);
}

TEST_F(Access_, an_unauthorized_client_is_rejected_before_its_body_is_read) {
  options_.token = kToken;
  start();
  RawClient client(port_);
  client.send("POST /v1/queues/q/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000\r\n\r\n");
  EXPECT_EQ(client.receive().status, 401);
  EXPECT_TRUE(client.read_to_end());
}

TEST_F(Access_, RejectsAnUnauthorizedRequestAlthoughItsBodyHasBegun) {
  options_.token = kToken;
  options_.limits.wrong_tokens = 1'000;
  start();
  const std::string post =
      "POST /v1/queues/q/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
  const std::string some(1'000, ' ');
  const std::vector<std::string> requests = {
      post + "Content-Length: 100000000\r\n\r\n" +
          some,  // above the limit of bodies as well: 401 comes first
      post + "Content-Length: 5000000\r\n\r\n" + some,
      post + "Content-Length: 5000000\r\nAuthorization: Bearer wrong\r\n\r\n" + some,
      post + "Transfer-Encoding: chunked\r\n\r\n3e8\r\n" + some + "\r\n",
      post + "Content-Length: 5000000\r\nExpect: 100-continue\r\n\r\n",
      post + "Content-Length: 5000000\r\nExpect: 100-continue\r\n\r\n" + some,
      "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx" + post +
          "Content-Length: 5000000\r\n\r\n" + some,  // sent ahead
  };
  for (const std::string& request : requests) {
    RawClient client(port_);
    ASSERT_TRUE(client.send(request));
    Answer answer = client.receive();
    if (request.starts_with("GET")) {
      EXPECT_EQ(answer.status, 200);
      answer = client.receive();
    }
    EXPECT_EQ(answer.status, 401) << request.substr(0, 200);
    EXPECT_EQ(answer.header("Connection"), "close");
    EXPECT_TRUE(client.read_to_end()) << "left open: " << request.substr(0, 200);
  }
  RawClient right(port_);
  right.send(post + kRight + "Content-Length: 100000000\r\n\r\n" + some);
  EXPECT_EQ(right.receive().status, 413);
}

TEST_F(Access_, UnauthorizedBodiesTakeNoMemory) {
  options_.token = kToken;
  options_.limits.wrong_tokens = 1'000;
  options_.limits.body_memory = 1 << 20;
  start();
  std::vector<std::unique_ptr<RawClient>> unauthorized;
  for (int i = 0; i < 100; ++i) {
    unauthorized.push_back(std::make_unique<RawClient>(port_));
    unauthorized.back()->send(
        "POST /v1/queues/q/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8000000\r\n\r\n" +
        std::string(15'000, ' '));
  }
  // Were their bytes kept, the memory for bodies would be used up and this request answered 503.
  EXPECT_EQ(ask("POST", "/v1/queues/q/jobs", kJob, kRight).status, 202);
  for (const auto& client : unauthorized) EXPECT_EQ(client->receive().status, 401);
}

TEST_F(Access_, KeepsTheConnectionWhereTheRefusedBodyIsHereAlready) {
  options_.token = kToken;
  start();
  RawClient client(port_);
  client.send(request_text("POST", "/v1/queues/q/jobs", kJob) +
              request_text("GET", "/v1/queues", {}, kRight));
  EXPECT_EQ(client.receive().status, 401);
  EXPECT_EQ(client.receive().status, 200);
}

TEST_F(Access_, RejectsUnknownPathsAndForeignOriginsBeforeTheBody) {
  start();
  const auto begun = [&](const std::string& target, const std::string& headers) {
    RawClient client(port_);
    client.send("POST " + target + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000\r\n" + headers +
                "\r\n{");
    return client.receive().status;
  };
  EXPECT_EQ(begun("/v1/nothing", ""), 404);
  EXPECT_EQ(begun("/v1/queues", ""), 405);
  EXPECT_EQ(begun("/v1/queues/q/jobs?what=1", ""), 400);
  EXPECT_EQ(begun("/v1/queues/q/jobs", "Origin: https://evil.example\r\n"), 403);
}

/// Keeps the lines.
class LinesSink final : public LogSink {
 public:
  void write(const LogRecord& record) override {
    const std::lock_guard lock(mutex_);
    lines_.push_back(format_log_text(record));
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

class NamedTokens : public HttpTest {
 protected:
  NamedTokens() {
    options_.limits.wrong_tokens = 10'000;
    options_.log = Logger(sink_, LogLevel::kInfo);
  }
  static std::string secret(const std::string& name) { return name + "-0123456789abcdef"; }
  void grant(const std::string& name, std::set<Right> rights, std::set<std::string> queues = {},
             std::set<std::string> functions = {}) {
    options_.tokens.push_back(
        {name, {secret(name)}, std::move(rights), std::move(queues), std::move(functions)});
  }
  Answer ask_as(const std::string& name, std::string_view method, std::string_view target,
                std::string_view body = {}) {
    return ask(method, target, body, "Authorization: Bearer " + secret(name) + "\r\n");
  }
  std::size_t count_lines(std::string_view text) const {
    std::size_t count = 0;
    for (const std::string& line : sink_->lines()) count += line.find(text) != std::string::npos ? 1 : 0;
    return count;
  }

  std::shared_ptr<LinesSink> sink_ = std::make_shared<LinesSink>();
};

TEST_F(NamedTokens, EachRouteNeedsExactlyItsRight) {
  const std::vector<Right> all{Right::kView, Right::kCall, Right::kAdHoc, Right::kOperate, Right::kAdmin};
  for (const Right right : all) grant(std::string(to_string(right)), {right});
  start();
  for (const Route& route : routes()) {
    if (route.right == Right::kOpen) continue;
    for (const Right right : all) {
      const Answer answer = ask_as(std::string(to_string(right)),
                                   route.method == "GET" ? "HEAD" : route.method, path_of(route.pattern));
      const bool adds = route.right == Right::kCall && right == Right::kAdHoc;
      const bool allowed = right == route.right || right == Right::kAdmin || adds;
      EXPECT_EQ(answer.status != 403, allowed)
          << to_string(right) << " " << route.method << " " << route.pattern << " " << answer.status;
      EXPECT_NE(answer.status, 401);
    }
  }
  EXPECT_EQ(ask_as("nobody", "GET", "/v1/queues").status, 401);
}

TEST_F(NamedTokens, AreForTheirQueuesAndFunctions) {
  auto catalog = std::make_shared<FunctionCatalog>();
  for (const char* name : {"a", "b", "sql"}) {
    FunctionInfo function;
    function.name = FunctionName(name);
    function.queue = QueueName(name == std::string("b") ? "other" : "q");
    function.ad_hoc = name == std::string("sql");
    catalog->functions[function.name] = function;
  }
  client_options_.functions = catalog;
  grant("some", {Right::kView, Right::kCall, Right::kOperate}, {"q"}, {"a"});
  grant("sql", {Right::kAdHoc});
  grant("calls", {Right::kCall});
  grant("admin", {Right::kAdmin});
  start();
  EXPECT_EQ(ask_as("some", "POST", "/v1/queues/q/jobs", kJob).status, 202);
  EXPECT_EQ(ask_as("some", "POST", "/v1/functions/a", "{}").status, 202);
  EXPECT_EQ(ask_as("admin", "POST", "/v1/functions/b", "{}").status, 202);
  const std::string b = R"({"name":"b"})";
  EXPECT_EQ(ask_as("some", "POST", "/v1/queues/q/jobs", b).status, 403) << "the function";
  EXPECT_EQ(ask_as("some", "POST", "/v1/queues/q/jobs", "[" + kJob + "," + b + "]").status, 403);
  EXPECT_EQ(ask_as("some", "POST", "/v1/functions/b", "{}").status, 403);
  const Answer unknown = ask_as("some", "POST", "/v1/functions/none", "{}");
  EXPECT_EQ(unknown.status, 403) << "must not learn the names of all: " << unknown.body;
  EXPECT_EQ(ask_as("calls", "POST", "/v1/functions/none", "{}").status, 404);
  EXPECT_EQ(ask_as("some", "POST", "/v1/queues/other/jobs", kJob).status, 403) << "the queue";
  EXPECT_EQ(ask_as("some", "GET", "/v1/queues/other/jobs/1").status, 403);
  EXPECT_EQ(ask_as("some", "POST", "/v1/queues/other/pause").status, 403);
  EXPECT_EQ(ask_as("some", "POST", "/v1/queues/q/pause").status, 204);
  EXPECT_EQ(ask_as("some", "GET", "/metrics").status, 403) << "has the names of all queues";
  EXPECT_EQ(ask_as("some", "GET", "/v1/host").status, 403);
  const std::string queues = ask_as("some", "GET", "/v1/queues").body;
  EXPECT_NE(queues.find(R"("q")"), std::string::npos) << queues;
  EXPECT_EQ(queues.find("other"), std::string::npos) << queues;
  const std::string functions = ask_as("some", "GET", "/v1/functions").body;
  EXPECT_NE(functions.find(R"("a")"), std::string::npos) << functions;
  EXPECT_EQ(functions.find("sql"), std::string::npos) << functions;
  EXPECT_EQ(ask_as("sql", "POST", "/v1/functions/sql", "{}").status, 202);
  EXPECT_EQ(ask_as("sql", "POST", "/v1/functions/a", "{}").status, 403);
  const Answer refused = ask_as("calls", "POST", "/v1/functions/sql", "{}");
  EXPECT_EQ(refused.status, 403);
  EXPECT_NE(refused.body.find("lacks the right ad-hoc"), std::string::npos) << refused.body;
  EXPECT_EQ(ask_as("calls", "POST", "/v1/queues/q/jobs", R"({"name":"sql"})").status, 403);
}

TEST_F(NamedTokens, BothTokensAreValidDuringARotation) {
  options_.tokens.push_back(admin_grant("rotates", {secret("new"), secret("old")}));
  start();
  RawClient open(port_);
  const auto ask_on_open = [&] {
    open.send(request_text("GET", "/v1/queues", "", "Authorization: Bearer " + secret("old") + "\r\n"));
    return open.receive().status;
  };
  EXPECT_EQ(ask_as("new", "GET", "/v1/queues").status, 200);
  EXPECT_EQ(ask_on_open(), 200);
  EXPECT_FALSE(server_->set_tokens({}));
  EXPECT_FALSE(server_->set_tokens({admin_grant("rotates", {"short"})}));
  EXPECT_FALSE(server_->set_tokens({admin_grant("rotates", {})}));
  EXPECT_EQ(ask_on_open(), 200);
  ASSERT_TRUE(server_->set_tokens({admin_grant("rotates", {secret("new")})}));
  EXPECT_EQ(ask_as("new", "GET", "/v1/queues").status, 200);
  EXPECT_EQ(ask_as("old", "GET", "/v1/queues").status, 401);
  EXPECT_EQ(ask_on_open(), 401) << "an open connection keeps no right";
}

TEST_F(NamedTokens, RejectedAndOperatingRequestsAreLogged) {
  grant("view", {Right::kView});
  grant("operate", {Right::kOperate});
  start();
  ask_as("view", "POST", "/v1/queues/q/pause?x=secret");
  ask_as("operate", "POST", "/v1/queues/q/pause");
  ask_as("wrong", "GET", "/v1/queues");
  ask("GET", "/metrics");
  ask_as("view", "GET", "/v1/queues");
  EXPECT_EQ(count_lines(
                "request rejected token=view remote=127.0.0.1 method=POST path=/v1/queues/q/pause status=403 "
                "code=permission"),
            1U);
  EXPECT_EQ(count_lines("operator request token=operate remote=127.0.0.1 method=POST path=/v1/queues/q/pause "
                        "status=204"),
            1U);
  EXPECT_EQ(count_lines("request rejected token=- remote=127.0.0.1 method=GET path=/v1/queues status=401"),
            1U);
  EXPECT_EQ(count_lines("path=/metrics status=401 code=unauthorized"), 1U);
  EXPECT_EQ(ask("GET", "/v1/files/q/1?expires=1&signature=0123456789abcdef").status, 403);
  EXPECT_EQ(count_lines("request rejected token=- remote=127.0.0.1 method=GET path=/v1/files/q/1 status=403 "
                        "code=permission"),
            1U);
  EXPECT_EQ(sink_->lines().size(), 5U);
  EXPECT_EQ(count_lines("0123456789abcdef"), 0U);
}

TEST_F(NamedTokens, TheAuditLogOfAMinuteIsBounded) {
  grant("view", {Right::kView});
  start();
  RawClient client(port_);
  for (int i = 0; i < 1'000; ++i) {
    client.send(request_text("GET", "/metrics"));
    ASSERT_EQ(client.receive().status, 401);
  }
  EXPECT_EQ(sink_->lines().size(), AuditLog::kLinesAMinute);
}

TEST_F(Access_, RejectsAMalformedHost) {
  start();
  for (const std::string bad :
       {"[::1", "[::1]evil", "[::1]:", "[::1]:8378x", "[127.0.0.1]", "[]", "localhost:", "localhost:evil",
        "localhost:80:80", "localhost:99999", "localhost/", "localhost evil", "user@localhost", "local%68ost",
        "localhost,evil", ":8378", "127.0.0.1\\"}) {
    RawClient client(port_);
    client.send("GET /v1/queues HTTP/1.1\r\nHost: " + bad + "\r\n\r\n");
    EXPECT_EQ(client.receive().status, 400) << bad;
  }
  for (const std::string foreign :
       {"127.evil", "127.0.0.1.2", "127.", "127.256.0.1", "[::2]", "localhost."}) {
    RawClient client(port_);
    client.send("GET /v1/queues HTTP/1.1\r\nHost: " + foreign + "\r\n\r\n");
    EXPECT_EQ(client.receive().status, 421) << foreign;
  }
}

TEST_F(Access_, without_a_token_foreign_host_names_are_refused) {
  options_.hosts = {"queue.internal"};
  start();
  const auto with_host = [&](const std::string& host) {
    RawClient client(port_);
    client.send("GET /v1/queues HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
    return client.receive().status;
  };
  for (const std::string good :
       {"localhost", "127.0.0.1:1234", "[::1]:99", "LOCALHOST:8378", "a.localhost", "queue.internal:80"}) {
    EXPECT_EQ(with_host(good), 200) << good;
  }
  for (const std::string bad :
       {"evil", "evil.example:8378", "127.0.0.1.evil.example", "localhost.evil.example", "", "10.0.0.1"}) {
    EXPECT_EQ(with_host(bad), 421) << bad;
  }
}

TEST_F(Access_, requests_from_pages_of_other_origins_change_nothing) {
  start();
  for (const std::string header :
       {"Origin: https://evil.example\r\n", "Origin: null\r\n", "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n", "Origin: http://localhost:1\r\n"}) {
    EXPECT_EQ(ask("POST", "/v1/queues/q/jobs", kJob, header).status, 403) << header;
    EXPECT_EQ(ask("DELETE", "/v1/queues/q/jobs/1", {}, header).status, 403) << header;
  }
  EXPECT_EQ(
      ask("POST", "/v1/queues/q/jobs", kJob, "Origin: http://localhost\r\nSec-Fetch-Site: same-origin\r\n")
          .status,
      202);
  EXPECT_EQ(ask("GET", "/v1/queues/q").parsed().at("counts").at("waiting").to_number<int>(), 1);
}

TEST_F(Access_, a_body_must_be_plain_json) {
  start();
  for (const std::string type :
       {"text/plain", "application/x-www-form-urlencoded", "application/json; charset=euc-kr",
        "application/jsonp", "multipart/form-data"}) {
    EXPECT_EQ(ask("POST", "/v1/queues/q/jobs", kJob, "Content-Type: " + type + "\r\n").status, 415) << type;
  }
  EXPECT_EQ(ask("POST", "/v1/queues/q/jobs", kJob, "Content-Encoding: gzip\r\n").status, 415);
  EXPECT_EQ(
      ask("POST", "/v1/queues/q/jobs", kJob, "Content-Type: application/json; charset=UTF-8\r\n").status,
      202);
}

TEST_F(Access_, without_a_token_only_loopback_is_listened_on) {
  start();
  const auto refused = [&](const std::string& listen, const std::string& token) {
    ServerOptions options;
    options.listen = listen;
    options.token = token;
    HttpServer server(options, {*client_, clock_, {}, {}, nullptr});
    const auto port = server.start();
    return port ? std::string("listens")
                : std::string(to_string(port.error().code)) + ": " + port.error().message;
  };
  EXPECT_EQ(refused("0.0.0.0:0", ""),
            "permission: server.listen: 0.0.0.0 can be reached from other machines and no token is set; set "
            "server.token_file, or listen on 127.0.0.1");
  EXPECT_TRUE(refused("[::]:0", "").starts_with("permission: "));
  EXPECT_TRUE(refused("127.0.0.1:0", "short").starts_with("invalid_argument: "));
  EXPECT_TRUE(refused("127.0.0.1", "").starts_with("invalid_argument: "));
  EXPECT_TRUE(refused("somewhere:80", "").starts_with("invalid_argument: "));
  EXPECT_TRUE(refused("127.0.0.1:" + std::to_string(port_), "").starts_with("busy: cannot listen on "));
  EXPECT_EQ(refused("127.0.0.1:0", std::string(kToken)), "listens");
}

TEST_F(Access_, readiness_reports_the_reasons) {
  bool is_ready = false;
  host_ = [&] {
    HostStatus status;
    status.ready = is_ready;
    if (!is_ready) status.not_ready = {"pool sql: libduckdb.so was not found"};
    return ready(status);
  };
  start();
  const Answer no = ask("GET", "/readyz");
  EXPECT_EQ(no.status, 503);
  EXPECT_EQ(no.body, "{\"ready\":false,\"reasons\":[\"pool sql: libduckdb.so was not found\"]}\n");
  is_ready = true;
  EXPECT_EQ(ask("GET", "/readyz").status, 200);
  EXPECT_EQ(ask("GET", "/v1/host").status, 200);
}

}  // namespace
}  // namespace gaur::http
