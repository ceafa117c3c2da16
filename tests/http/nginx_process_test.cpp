// The shipped nginx configuration before a real server: whatever an id contains, a request reaches that job
// and no other. deploy/nginx/gaur.conf is used as it is; only its ports are replaced.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/name_text.hpp"
#include "http_fixture.hpp"
#include "support/held_port.hpp"

namespace gaur::http {
namespace {

namespace fs = std::filesystem;

void replace_all(std::string& text, std::string_view what, const std::string& with, std::size_t times) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size(), ++found) {
    text.replace(at, what.size(), with);
  }
  ASSERT_EQ(found, times) << what << " in gaur.conf";
}

/// nginx in a folder of its own, in the foreground, ended with the test.
class Nginx {
 public:
  explicit Nginx(std::uint16_t gaur) {
    char name[] = "/tmp/gaur-nginx-XXXXXX";
    folder_ = ::mkdtemp(name);
    std::ostringstream text;
    text << std::ifstream(GAUR_SOURCE_DIR "/deploy/nginx/gaur.conf").rdbuf();
    std::string conf = text.str();
    replace_all(conf, "127.0.0.1:8378", fmt::format("127.0.0.1:{}", gaur), 1);
    replace_all(conf, "127.0.0.1:3008", "127.0.0.1:1", 1);  // nobody listens: what goes there is answered 502
    replace_all(conf, "127.0.0.1:3009", "127.0.0.1:1", 1);
    replace_all(conf, "listen 80;", fmt::format("listen 127.0.0.1:{};", port()), 2);
    std::ofstream(folder_ / "gaur.conf") << conf;
    std::string temp;
    for (const char* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
      temp += fmt::format("{}_temp_path {}/{}; ", kind, folder_.string(), kind);
    std::ofstream(folder_ / "nginx.conf") << fmt::format(
        "daemon off; master_process off; pid {0}/pid; error_log {0}/error.log;\n"
        "events {{ worker_connections 256; }}\nhttp {{ access_log off; {1} include {0}/gaur.conf; }}\n",
        folder_.string(), temp);
    start();
  }
  Nginx(const Nginx&) = delete;
  Nginx& operator=(const Nginx&) = delete;
  ~Nginx() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    fs::remove_all(folder_);
  }
  std::uint16_t port() const { return port_.number(); }

 private:
  void start() {
    const std::string conf = folder_ / "nginx.conf", log = folder_ / "error.log";
    process_ = ::fork();
    if (process_ == 0) {
      const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
      ::dup2(out, 2);
      ::execlp("nginx", "nginx", "-p", folder_.c_str(), "-c", conf.c_str(), nullptr);
      ::_exit(127);
    }
    const SystemClock clock;
    const Instant until = clock.now() + Duration(10'000);
    // nginx writes its pid once it listens. Asking its port instead can meet the asker itself: a free port is
    // one that the system also gives to clients.
    while (!fs::exists(folder_ / "pid") || fs::file_size(folder_ / "pid") == 0) {
      ::poll(nullptr, 0, 1);
      const bool ended = ::waitpid(process_, nullptr, WNOHANG) != 0;
      std::ostringstream said;
      said << std::ifstream(log).rdbuf();
      ASSERT_FALSE(ended || clock.now() > until)
          << "nginx (package nginx-light) did not start: " << said.str();
    }
  }

  test::HeldPort port_;
  fs::path folder_;
  pid_t process_ = 0;
};

/// A result file for each job: its content is the job's id.
class FileOfEach final : public ResultFiles {
 public:
  explicit FileOfEach(fs::path folder) : folder_(std::move(folder)) {}
  Result<ResultFile> find(const JobRef& job) const override {
    ResultFile file;
    file.path = folder_ / "one.csv";
    std::ofstream(file.path, std::ios::binary) << job.id.value;
    file.format = "csv";
    file.bytes = job.id.value.size();
    return file;
  }

 private:
  fs::path folder_;
};

const std::vector<std::string> kAwkward = {
    "user/234",
    "a/../b",
    "b",
    "a",
    "a/./b",
    "..",
    ".",
    "../pause",
    "../q",
    "../../q/pause",
    "/",
    "//",
    "a//b",
    "/lead",
    "trail/",
    "a%b",
    "%2F",
    "a%2Fb",
    "%252F",
    "%2e%2e",
    "%2E%2E%2Fpause",
    "%00",
    "a+b",
    "a b",
    " ",
    "a?b",
    "?wait=10s",
    "a#b",
    "a;b",
    "a;/../b",
    "a\\b",
    "..\\pause",
    "a&b=c",
    "a:b:c",
    "a\"b'c",
    "<a>{b}|c^`",
    "작업/1",
    "🙂",
    "e\u0301",
    "jobs",
    "logs",
    "a/logs",
    "a/cancel",
    "x/../../q/jobs/b",
    std::string(128, 'y'),
    std::string(128, '/'),
    std::string(128, '%'),
    "~!@$*(),=",
};

class BehindNginx : public HttpTest {
 protected:
  void SetUp() override {
    char name[] = "/tmp/gaur-nginx-files-XXXXXX";
    folder_ = ::mkdtemp(name);
    each_.emplace(folder_);
    files_ = &*each_;
    link_check_ = [](const JobRef& job, const std::string&, const std::string& signature) {
      return signature == percent_encode(job.id.value).substr(0, 20) ? ok()
                                                                     : Status(Error{Errc::kPermission, "no"});
    };
    options_.base_path = "/gaur";
    options_.token = "a-token-of-this-test-only";
    start();
    nginx_ = std::make_unique<Nginx>(port_);
  }
  void TearDown() override {
    nginx_.reset();
    HttpTest::TearDown();
    fs::remove_all(folder_);
  }
  /// Past every check, as a Bull peer adds it.
  void add(const std::string& queue, const std::string& id) {
    AddRequest request;
    request.queue = QueueName(queue);
    NewJob job;
    job.name = "awkward";
    job.data = "{}";
    job.options.id = JobId(id);
    request.jobs.push_back(job);
    ASSERT_TRUE(measured_->add(request).get());
    ASSERT_TRUE(measured_->append_logs({QueueName(queue), JobId(id)}, {"log of " + id}).get());
  }
  std::size_t jobs_in(const std::string& queue) {
    const auto counts = measured_->counts(QueueName(queue)).get();
    EXPECT_FALSE(counts->paused) << queue;
    std::size_t sum = 0;
    for (const State state : kAllStates) sum += (*counts)[state];
    return sum;
  }
  Answer through(std::string_view method, std::string_view target) {
    // An address for each few requests: the configuration limits how many one client may send.
    const std::string from = fmt::format("127.0.1.{}", 1 + ++requests_ / 100);
    RawClient client(nginx_->port(), from.c_str());
    client.send(
        fmt::format("{} {} HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer {}\r\n"
                    "Content-Length: 0\r\nConnection: close\r\n\r\n",
                    method, target, options_.token));
    return client.receive();
  }
  static std::string path(const std::string& queue, const std::string& id) {
    return "/gaur/v1/queues/" + percent_encode(queue) + "/jobs/" + percent_encode(id);
  }

  fs::path folder_;
  std::optional<FileOfEach> each_;
  std::unique_ptr<Nginx> nginx_;
  std::size_t requests_ = 0;
};

TEST_F(BehindNginx, EveryVerbReachesTheJobThatItNames) {
  for (const std::string& id : kAwkward) add("q", id);
  std::size_t left = kAwkward.size();
  for (const std::string& id : kAwkward) {
    SCOPED_TRACE(json::quote(id));
    const std::string job = path("q", id);
    const Answer got = through("GET", job);
    ASSERT_EQ(got.status, 200) << got.body;
    EXPECT_EQ(json::text_or(got.parsed().as_object(), "id", ""), id);
    EXPECT_EQ(json::text_or(got.parsed().as_object(), "url", ""), job);
    EXPECT_EQ(through("GET", job + "/logs").parsed().at("lines").at(0).get_string(), "log of " + id);
    EXPECT_EQ(through("GET", job + "/result").status, 409) << "not finished";
    const Answer link = through("GET", "/gaur/v1/files/q/" + percent_encode(id) + "?expires=1&signature=" +
                                           percent_encode(percent_encode(id).substr(0, 20)));
    EXPECT_EQ(link.status, 200) << link.body;
    EXPECT_EQ(link.body, id);
    EXPECT_EQ(through("POST", job + "/cancel").status, 200);
    EXPECT_EQ(*measured_->state({QueueName("q"), JobId(id)}).get(), State::kFailed);
    EXPECT_EQ(through("POST", job + "/retry").status, 204);
    EXPECT_EQ(*measured_->state({QueueName("q"), JobId(id)}).get(), State::kWaiting);
    EXPECT_EQ(jobs_in("q"), left) << "another job is gone";
    EXPECT_EQ(through("DELETE", job).status, 204);
    EXPECT_EQ(through("GET", job).status, 404);
    ASSERT_EQ(jobs_in("q"), --left) << "another job is gone";
  }
}

TEST_F(BehindNginx, QueueNamesArriveAsTheyAre) {
  const std::vector<std::string> names = {"{tag}-q",   "a.b_c-d", "...",  "-",   "a..b", ".",   "..",
                                          "mail:high", "test/tx", "../q", "a b", "큐/1", "%2F", "events"};
  for (const std::string& name : names) add(name, "user/1");
  for (const std::string& name : names) {
    SCOPED_TRACE(name);
    EXPECT_EQ(json::text_or(through("GET", path(name, "user/1")).parsed().as_object(), "queue", ""), name);
    EXPECT_EQ(through("POST", "/gaur/v1/queues/" + percent_encode(name) + "/pause").status, 204);
    EXPECT_TRUE(measured_->counts(QueueName(name)).get()->paused);
    for (const std::string& other : names) {
      EXPECT_EQ(measured_->counts(QueueName(other)).get()->paused, other == name) << other;
    }
    EXPECT_EQ(through("POST", "/gaur/v1/queues/" + percent_encode(name) + "/resume").status, 204);
  }
}

TEST_F(BehindNginx, WhatCannotPassIsRejectedAndReachesNobodyElse) {
  add("q", "b");
  // More "../" than the path is deep: nginx picks the location by the decoded path, which is the API server's
  // (here: nobody, 502) or lies above the root.
  for (const std::string& id :
       {std::string("../../../../../b"), std::string("../../../../../../../../b"),
        std::string("x/../../../../../../api/health"), std::string("a\0b", 3), std::string("\n")}) {
    SCOPED_TRACE(json::quote(id));
    EXPECT_EQ(through("DELETE", path("q", id)).status, 400);
    EXPECT_EQ(through("POST", path("q", id) + "/cancel").status, 400);
  }
  EXPECT_EQ(through("GET", path("q", "")).status, 404);
  EXPECT_EQ(through("GET", path("q", std::string(129, 'y'))).status, 400);
  EXPECT_EQ(through("GET", path("q", std::string(9'000, 'y'))).status, 414);
  EXPECT_EQ(jobs_in("q"), 1U);
  EXPECT_EQ(through("GET", "/gaur/v1/../../metrics").status, 400);
  for (const char* metrics : {"/gaur/metrics", "/gaur/%6Detrics", "/gaur//metrics", "/gaur/v1/../metrics"})
    EXPECT_EQ(through("GET", metrics).status, 403) << metrics;
}

TEST_F(BehindNginx, EventsArriveAtOnceForAnyQueueName) {
  for (const std::string queue : {"q", "{tag}", "test/tx", "..", "큐 1"}) {
    RawClient client(nginx_->port(), "127.0.2.1");
    client.send(fmt::format(
        "GET /gaur/v1/queues/{}/events HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer {}\r\n\r\n",
        percent_encode(queue), options_.token));
    ASSERT_TRUE(client.read_until("\r\n\r\n"));
    add(queue, "first");
    EXPECT_TRUE(client.read_until("event: added", Duration(5'000))) << client.received();
  }
}

}  // namespace
}  // namespace gaur::http
