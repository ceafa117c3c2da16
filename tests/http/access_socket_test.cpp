// Who may ask and from where: tokens, hosts, origins, content types, exposure.
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
