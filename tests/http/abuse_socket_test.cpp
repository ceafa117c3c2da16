// Bytes that no honest client sends, each with the answer that it must get. The list is that of any HTTP
// server that may run behind a proxy: whatever could be read in two ways is refused, and nothing after
// it is read.
#include "http_fixture.hpp"

namespace gaur::http {
namespace {

/// A clock that the test moves while the server looks at it.
class SharedClock final : public Clock {
 public:
  Instant now() const override { return Instant(std::chrono::hours(1)) + Duration(ms_.load()); }
  Time wall() const override { return from_ms(1'800'000'000'000 + ms_.load()); }
  void advance(Duration by) { ms_ += by.count(); }

 private:
  std::atomic<std::int64_t> ms_{0};
};

class AbusedServer : public HttpTest {
 protected:
  /// Sends the bytes and then a request that must never be served: it would answer "ok" (healthz).
  void expect_refused(int status, const std::string& bytes) {
    RawClient client(port_);
    client.send(bytes + "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const auto all = client.read_to_end();
    ASSERT_TRUE(all) << "left open after " << bytes.substr(0, 120);
    EXPECT_TRUE(all->starts_with("HTTP/1.1 " + std::to_string(status) + " "))
        << bytes.substr(0, 120) << "\n-> " << *all;
    EXPECT_EQ(all->find("\"ok\""), std::string::npos)
        << "a smuggled request was served after " << bytes.substr(0, 120);
    EXPECT_NE(all->find("application/problem+json"), std::string::npos);
    EXPECT_NE(all->find("Connection: close"), std::string::npos);
  }
  SharedClock moved_;
};

std::string post_with(const std::string& headers, const std::string& body) {
  return "POST /v1/queues/q/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
         headers + "\r\n" + body;
}
const std::string kJob = R"({"name":"a"})";  // 12 bytes

TEST_F(AbusedServer, refuses_every_doubtful_length_and_closes) {
  start();
  expect_refused(400, post_with("Content-Length: 12\r\nTransfer-Encoding: chunked\r\n", kJob));
  expect_refused(400, post_with("Transfer-Encoding: chunked\r\nContent-Length: 12\r\n", "0\r\n\r\n"));
  expect_refused(400, post_with("Content-Length: 12\r\nContent-Length: 13\r\n", kJob));
  expect_refused(400, post_with("Content-Length: 12\r\nContent-Length: 12\r\n", kJob));
  for (const std::string length :
       {"+12", "0xc", "12,12", "-1", "", "12 12", "99999999999999999999", "1e1", "\v12"}) {
    expect_refused(400, post_with("Content-Length: " + length + "\r\n", kJob));
  }
  for (const std::string encoding : {"xchunked", "chunked, identity",
                                     "\x0b"
                                     "chunked",
                                     "identity", "gzip, chunked", "chunked,", ""}) {
    expect_refused(400, post_with("Transfer-Encoding: " + encoding + "\r\n", "0\r\n\r\n"));
  }
  expect_refused(400, post_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"));
  expect_refused(400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  EXPECT_EQ(ask("GET", "/healthz").status, 200);
}

TEST_F(AbusedServer, refuses_every_doubtful_line) {
  start();
  const std::string host = "Host: localhost\r\n";
  expect_refused(400, "GET /healthz HTTP/1.1\nHost: localhost\n\n");
  expect_refused(400, "GET /healthz HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n");
  expect_refused(400, "GET /healthz HTTP/1.1\r\n" + host + "X: a\rb\r\n\r\n");
  expect_refused(400, "GET /healthz HTTP/1.1\r\n" + host + "X : y\r\n\r\n");
  expect_refused(400, "GET /healthz HTTP/1.1\r\n" + host + "X: y\r\n folded\r\n\r\n");
  expect_refused(400, "GET /healthz HTTP/1.1\r\n" + host + "no colon\r\n\r\n");
  expect_refused(400, "GET /healthz HTTP/1.1\r\n" + host + ": empty\r\n\r\n");
  expect_refused(400, "GET /healthz HTTP/1.1\r\n" + host + std::string("X: a\0b\r\n\r\n", 10));
  expect_refused(400, "GET /healthz HTTP/1.1\r\n" + host + host + "\r\n");
  expect_refused(400, "GET /healthz HTTP/1.1\r\nX: y\r\n\r\n");
  expect_refused(400, "GET http://localhost/healthz HTTP/1.1\r\n" + host + "\r\n");
  expect_refused(400, "GET /health z HTTP/1.1\r\n" + host + "\r\n");
  expect_refused(400, "GET /\xff HTTP/1.1\r\n" + host + "\r\n");
  expect_refused(400, "GET /healthz\r\n" + host + "\r\n");
  expect_refused(400, "G@T /healthz HTTP/1.1\r\n" + host + "\r\n");
  expect_refused(400, "\r\nGET /healthz HTTP/1.1\r\n" + host + "\r\n");
  expect_refused(505, "GET /healthz HTTP/2.0\r\n" + host + "\r\n");
  expect_refused(417, "POST /v1/queues/q/jobs HTTP/1.1\r\n" + host + "Expect: miracles\r\n\r\n");
}

TEST_F(AbusedServer, refuses_broken_chunks) {
  options_.limits.body = 1'000;
  start();
  const auto chunked = [](const std::string& body) {
    return post_with("Transfer-Encoding: chunked\r\n", body);
  };
  expect_refused(400, chunked("-2\r\nab\r\n0\r\n\r\n"));
  expect_refused(400, chunked("FFFFFFFFFFFFFFFFF\r\n"));
  expect_refused(413, chunked("FFFFFFFFFFFFFFFF\r\n"));
  expect_refused(413, chunked("3e9\r\n"));
  expect_refused(400, chunked("c\r\n" + kJob + "XX0\r\n\r\n"));
  expect_refused(400, chunked("zz\r\n"));
  expect_refused(400, chunked("1;" + std::string(64'000, 'x')));
  expect_refused(400, chunked("0\r\n" + std::string(64'000, 'x')));
  EXPECT_EQ(ask("GET", "/v1/queues/q").parsed().at("counts").at("waiting").to_number<int>(), 0);
  RawClient good(port_);
  good.send(chunked("5\r\n" + kJob.substr(0, 5) + "\r\n7\r\n" + kJob.substr(5) + "\r\n0\r\n\r\n"));
  EXPECT_EQ(good.receive().status, 202);
}

TEST_F(AbusedServer, holds_every_size_limit) {
  options_.limits.body = 1'000;
  start();
  expect_refused(413, post_with("Content-Length: 1001\r\n", ""));
  expect_refused(413, post_with("Content-Length: 1000000000\r\n", ""));
  expect_refused(414, "GET /" + std::string(100'000, 'a') + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  expect_refused(431,
                 "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(64'000, 'a') + "\r\n\r\n");
  std::string many;
  for (int i = 0; i < 1'000; ++i) many += "X: y\r\n";
  expect_refused(431, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + many + "\r\n");
}

TEST_F(AbusedServer, pipelined_requests_are_answered_one_after_the_other) {
  start();
  RawClient client(port_);
  std::string all;
  for (int i = 0; i < 20; ++i)
    all += request_text("POST", "/v1/queues/q/jobs", R"({"name":"n)" + std::to_string(i) + R"("})");
  client.send(all);
  for (int i = 1; i <= 20; ++i) {
    const Answer answer = client.receive();
    ASSERT_EQ(answer.status, 202);
    EXPECT_EQ(answer.header("Location"), "/v1/queues/q/jobs/" + std::to_string(i));
  }
}

TEST_F(AbusedServer, headers_that_trickle_in_are_cut_off_at_the_deadline) {
  server_clock_ = &moved_;
  start();
  RawClient slow(port_), silent(port_), body(port_);
  slow.send("GET /healthz HTTP/1.1\r\nHost: lo");
  body.send(post_with("Content-Length: 12\r\n", "{\"na"));
  ASSERT_EQ(ask("GET", "/healthz").status, 200);  // the server has seen them
  moved_.advance(Duration(9'000));
  EXPECT_EQ(ask("GET", "/healthz").status, 200);
  slow.send("c");
  moved_.advance(Duration(2'000));
  const auto cut = slow.read_to_end();
  ASSERT_TRUE(cut);
  EXPECT_TRUE(cut->starts_with("HTTP/1.1 408 ")) << *cut;
  EXPECT_EQ(silent.read_to_end(), "");
  moved_.advance(Duration(25'000));
  const auto cut_body = body.read_to_end();
  ASSERT_TRUE(cut_body);
  EXPECT_TRUE(cut_body->starts_with("HTTP/1.1 408 ")) << *cut_body;
}

TEST_F(AbusedServer, an_idle_connection_is_closed_and_a_slow_reader_too) {
  server_clock_ = &moved_;
  start();
  RawClient idle(port_), reader(port_);
  idle.send(request_text("GET", "/healthz"));
  EXPECT_EQ(idle.receive().status, 200);
  // An answer far larger than the buffers of both ends, of which the client reads nothing.
  const std::string big(900'000, 'x');
  for (int i = 0; i < 12; ++i) {
    const std::string path =
        ask("POST", "/v1/queues/q/jobs", R"({"name":"a","data":")" + big + "\"}").header("Location");
    reader.send(request_text("GET", path));
  }
  // Its deadline counts from the write that does not end, and nobody knows here when that one began: time
  // goes on until it is closed. A reader that takes nothing sees the close only when it sends something.
  const Instant patience = clock_.now() + Duration(10'000);
  while (!reader.gone()) {
    ASSERT_LT(clock_.now(), patience) << "the slow reader was kept";
    moved_.advance(Duration(80'000));
    ASSERT_EQ(ask("GET", "/healthz").status, 200);
    if (reader.unread() > 0) reader.send("x");
  }
  EXPECT_EQ(idle.read_to_end(), "");
  const auto got = reader.read_to_end();
  ASSERT_TRUE(got);
  EXPECT_LT(got->size(), 12 * big.size());
}

TEST_F(AbusedServer, a_healthy_client_is_served_beside_500_hanging_ones) {
  start();
  std::vector<std::unique_ptr<RawClient>> hanging;
  for (int i = 0; i < 400; ++i) {
    hanging.push_back(std::make_unique<RawClient>(port_));
    ASSERT_TRUE(hanging.back()->connected());
    hanging.back()->send("GET /healthz HTTP/1.1\r\nHo");
  }
  for (int i = 0; i < 50; ++i) ASSERT_EQ(ask("GET", "/healthz").status, 200);
}

TEST_F(AbusedServer, one_connection_too_many_is_rejected) {
  options_.limits.connections = 2;
  start();
  RawClient first(port_), second(port_);
  first.send(request_text("GET", "/healthz"));
  second.send(request_text("GET", "/healthz"));
  EXPECT_EQ(first.receive().status, 200);
  EXPECT_EQ(second.receive().status, 200);
  RawClient third(port_);
  const auto all = third.read_to_end();
  ASSERT_TRUE(all);
  EXPECT_TRUE(all->starts_with("HTTP/1.1 503 ")) << *all;
}

TEST_F(AbusedServer, OneAddressCannotMakeHealthUnavailable) {
  options_.limits.connections_per_address = 3;
  start();
  std::vector<std::unique_ptr<RawClient>> hostile;
  for (int i = 0; i < 200; ++i) {  // also more than the server keeps beyond its limits
    hostile.push_back(std::make_unique<RawClient>(port_, "127.0.0.2"));
    hostile.back()->send("GET /healthz HT");
  }
  EXPECT_EQ(ask("GET", "/healthz").status, 200);
  EXPECT_EQ(ask("GET", "/v1/queues").status, 200) << "other addresses are served as before";
  RawClient same(port_, "127.0.0.2"), health(port_, "127.0.0.2");
  same.send(request_text("GET", "/v1/queues"));
  const Answer refused = same.receive();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.header("Retry-After"), "1");
  EXPECT_EQ(refused.header("Connection"), "close");
  health.send(request_text("GET", "/healthz"));
  EXPECT_EQ(health.receive().status, 200);
  EXPECT_TRUE(health.read_to_end());
  hostile.clear();
  int status = 0;
  for (int i = 0; i < 10'000 && status != 200; ++i) {
    RawClient again(port_, "127.0.0.2");
    again.send(request_text("GET", "/v1/queues"));
    status = again.receive().status;
  }
  EXPECT_EQ(status, 200) << "closed connections count no more";
}

TEST_F(AbusedServer, HealthIsAnsweredBeyondTheLimitOfAllConnections) {
  options_.limits.connections = 2;
  start();
  RawClient first(port_, "127.0.0.2"), second(port_, "127.0.0.3");
  first.send(request_text("GET", "/healthz"));
  second.send(request_text("GET", "/healthz"));
  EXPECT_EQ(first.receive().status, 200);
  EXPECT_EQ(second.receive().status, 200);
  EXPECT_EQ(ask("GET", "/healthz").status, 200);
  EXPECT_EQ(ask("GET", "/v1/queues").status, 503);
  EXPECT_EQ(ask("GET", "/v1/files/q/1?expires=1&signature=x").status, 503);
}

TEST_F(AbusedServer, ATrustedProxyHasNoLimitOfItsAddress) {
  options_.limits.connections_per_address = 1;
  options_.trusted_proxies = {"127.0.0.1"};
  start();
  RawClient first(port_), second(port_);
  first.send(request_text("GET", "/v1/queues"));
  EXPECT_EQ(first.receive().status, 200);
  second.send(request_text("GET", "/v1/queues"));
  EXPECT_EQ(second.receive().status, 200);
}

TEST_F(AbusedServer, one_wait_too_many_is_rejected) {
  options_.limits.waits = 1;
  start();
  RawClient waits(port_);
  waits.send(request_text("POST", "/v1/queues/q/jobs?wait=30s", kJob));
  const Taken taken = take("q");
  const Answer refused = ask("GET", "/v1/queues/q/jobs/" + taken.job.id.value + "?wait=30s");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.header("Retry-After"), "1");
  finish("q", taken, outcome::Completed{"1"});
  EXPECT_EQ(waits.receive().status, 200);
  EXPECT_EQ(ask("GET", "/v1/queues/q/jobs/" + taken.job.id.value + "?wait=30s").status, 200);
}

TEST_F(AbusedServer, a_client_that_leaves_gives_its_place_among_the_waiting_back) {
  options_.limits.waits = 1;
  start();
  const std::string path = ask("POST", "/v1/queues/q/jobs", kJob).header("Location");
  {
    RawClient leaves(port_);
    leaves.send(request_text("GET", path + "?wait=60s"));
    int status = 0;
    for (int i = 0; i < 10'000 && status != 429; ++i)
      status = ask("GET", path + "?wait=1ms").status;  // it is waiting now
  }
  int status = 0;
  for (int i = 0; i < 10'000 && status != 200; ++i) status = ask("GET", path + "?wait=1ms").status;
  EXPECT_EQ(status, 200);
}

TEST_F(AbusedServer, WaitsOfDisconnectedClientsEndAtOnce) {
  options_.limits.waits = 1'000;
  client_options_.max_waits = 40;
  start();
  const std::string path = ask("POST", "/v1/queues/q/jobs", kJob).header("Location");
  const auto waits = [this] {
    return ask("GET", "/metrics").body.find("\ngaur_waits 0\n") == std::string::npos;
  };
  const std::vector<std::string> targets = {"GET " + path, "GET " + path + "/result",
                                            "POST /v1/queues/q/jobs"};
  for (int i = 0; i < 120; ++i) {
    const std::string& target = targets[static_cast<std::size_t>(i) % targets.size()];
    const std::size_t blank = target.find(' ');
    RawClient client(port_);
    client.send(request_text(target.substr(0, blank), target.substr(blank + 1) + "?wait=60s",
                             target.starts_with("POST") ? kJob : ""));
    for (int look = 0; look < 10'000 && !waits(); ++look) {
    }
  }
  for (int look = 0; look < 10'000 && waits(); ++look) {
  }
  EXPECT_FALSE(waits());
  EXPECT_EQ(ask("GET", path + "?wait=1ms").status, 200);
}

TEST_F(AbusedServer, AnEventStreamOfADisconnectedClientEndsWithinSeconds) {
  options_.limits.waits = 1;
  start();
  const std::string path = ask("POST", "/v1/queues/q/jobs", kJob).header("Location");
  {
    RawClient client(port_);
    client.send(request_text("GET", "/v1/queues/q/events"));
    EXPECT_TRUE(client.read_until("nothing new"));
    EXPECT_EQ(ask("GET", path + "?wait=1ms").status, 429);
  }
  const Instant begin = clock_.now();
  while (ask("GET", path + "?wait=1ms").status == 429 && clock_.now() - begin < Duration(14'000)) {
  }
  EXPECT_LT(clock_.now() - begin, Duration(10'000));  // about 1 s; 15 s before
}

TEST_F(AbusedServer, AddsJobsAlsoWhenAllWaitsAreInUse) {
  options_.limits.waits = 0;
  start();
  const Answer one = ask("POST", "/v1/queues/q/jobs?wait=30s", kJob);
  EXPECT_EQ(one.status, 202);
  EXPECT_EQ(one.header("Location"), "/v1/queues/q/jobs/1");
  EXPECT_EQ(ask("POST", "/v1/queues/q/jobs?wait=30s", "[" + std::string(kJob) + "]").status, 202);
}

TEST_F(AbusedServer, StoppingAnswersWaitsAndReportsAddedJobs) {
  start();
  const std::string path = ask("POST", "/v1/queues/other/jobs", kJob).header("Location");
  RawClient waits(port_), adds(port_), adds_many(port_), idle(port_);
  waits.send(request_text("GET", path + "?wait=60s"));
  adds.send(request_text("POST", "/v1/queues/q/jobs?wait=60s", kJob));
  const Taken one = take("q");
  adds_many.send(request_text("POST", "/v1/queues/many/jobs?wait=60s", "[" + std::string(kJob) + "]"));
  const Taken many = take("many");
  server_->stop();
  const auto answer = waits.read_to_end();
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->starts_with("HTTP/1.1 503 ")) << *answer;
  const auto added = adds.read_to_end();
  ASSERT_TRUE(added);
  EXPECT_TRUE(added->starts_with("HTTP/1.1 202 ")) << *added;
  EXPECT_NE(added->find("Location: /v1/queues/q/jobs/" + one.job.id.value), std::string::npos) << *added;
  EXPECT_NE(added->find("\"id\":\"" + one.job.id.value + "\""), std::string::npos) << *added;
  const auto added_many = adds_many.read_to_end();
  ASSERT_TRUE(added_many);
  EXPECT_TRUE(added_many->starts_with("HTTP/1.1 202 ")) << *added_many;
  EXPECT_NE(added_many->find("[{\"id\":\"" + many.job.id.value + "\""), std::string::npos) << *added_many;
  EXPECT_EQ(idle.read_to_end(), "");
}

TEST_F(AbusedServer, a_client_that_expects_100_continue_gets_it) {
  start();
  RawClient client(port_);
  client.send(post_with("Content-Length: 12\r\nExpect: 100-continue\r\n", ""));
  EXPECT_EQ(client.receive().status, 100);
  client.send(kJob);
  EXPECT_EQ(client.receive().status, 202);
}

TEST_F(AbusedServer, strange_paths_lead_nowhere) {
  start();
  for (const std::string path : {"/../../etc/passwd", "/%2e%2e/", "/..%2f", "//host", "/static/..;/", "/v1",
                                 "/v1/queues/q/jobs/1/", "/v1//jobs", "/v1/queues/q/jobs/nothing"}) {
    EXPECT_EQ(ask("GET", path).status, 404) << path;
  }
  for (const std::string path : {"/%00%", "/%zz", "/v1/queues/%ff", "/v1/queues/q/jobs/%00",
                                 "/v1/queues/q/jobs/%ff", "/v1/queues/q/jobs?state=%zz"}) {
    EXPECT_EQ(ask("GET", path).status, 400) << path;
  }
  // Queue names, as Bull takes them; none of these queues has jobs.
  for (const std::string path : {"/v1/queues/%00", "/v1/queues/a%20b", "/v1/queues/a%2Fb", "/v1/queues/.."}) {
    EXPECT_EQ(ask("GET", path).status, 200) << path;
    EXPECT_EQ(ask("GET", path + "/jobs/1").status, 404) << path;
  }
  EXPECT_EQ(ask("GET", "/v1/queues/q/jobs/" + std::string(200, 'a')).status, 400);
  const Answer wrong = ask("PUT", "/v1/queues/q/jobs");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.header("Allow"), "POST, GET, HEAD");
}

}  // namespace
}  // namespace gaur::http
