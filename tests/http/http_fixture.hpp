#pragma once
// A real server on a real port over the reference model, a client that sends exactly the given bytes,
// and a hand that does the worker's part.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "api/client_factory.hpp"
#include "api/measured_store.hpp"
#include "base/json.hpp"
#include "base/manual_env.hpp"
#include "base/system_env.hpp"
#include "http/server.hpp"
#include "http/values.hpp"
#include "model/model_store.hpp"

namespace gaur::http {

struct Answer {
  /// 0: the connection was closed without one.
  int status = 0;
  std::string head, body;
  std::string header(const std::string& name) const {
    const std::string all = lower(head);
    const std::size_t at = all.find("\r\n" + lower(name) + ": ");
    if (at == std::string::npos) return "";
    const std::size_t begin = at + 4 + name.size();
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
  json::Value parsed() const {
    auto value = json::parse(body);
    EXPECT_TRUE(value) << body;
    return value ? *value : json::Value();
  }
};

/// Reads with a deadline; never sleeps.
class RawClient {
 public:
  /// `from`: the client's own address.
  explicit RawClient(std::uint16_t port, const char* from = "127.0.0.1")
      : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    ::inet_pton(AF_INET, from, &address.sin_addr);
    EXPECT_EQ(::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { ::close(descriptor_); }

  bool connected() const { return connected_; }
  int descriptor() const { return descriptor_; }
  /// False once the server has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  /// The next answer; that of a HEAD has no body, whatever length its header has.
  Answer receive(bool head_only = false, Duration patience = Duration(10'000)) {
    Answer answer;
    while (in_.find("\r\n\r\n") == std::string::npos) {
      if (!more(patience)) return answer;
    }
    const std::size_t end = in_.find("\r\n\r\n") + 4;
    answer.head = in_.substr(0, end);
    in_.erase(0, end);
    answer.status = std::stoi(answer.head.substr(9, 3));
    if (answer.status == 100 || head_only) return answer;
    const auto length = parse_number(answer.header("Content-Length"));
    while (length && in_.size() < *length && more(patience)) {
    }
    if (length) {
      answer.body = in_.substr(0, *length);
      in_.erase(0, *length);
    }
    return answer;
  }
  /// Everything until the server closes, or nothing if it does not.
  std::optional<std::string> read_to_end(Duration patience = Duration(10'000)) {
    while (!ended_) {
      if (!more(patience) && !ended_) return std::nullopt;
    }
    return std::exchange(in_, {});
  }
  /// Until `text` has arrived; false when it does not.
  bool read_until(std::string_view text, Duration patience = Duration(10'000)) {
    while (in_.find(text) == std::string::npos) {
      if (!more(patience)) return false;
    }
    return true;
  }
  const std::string& received() const { return in_; }
  /// Bytes that have arrived here and were not read yet.
  int unread() const {
    int bytes = 0;
    EXPECT_EQ(::ioctl(descriptor_, FIONREAD, &bytes), 0);
    return bytes;
  }
  /// The other end has closed for good: it refused what was sent to it.
  bool gone() const {
    pollfd entry{descriptor_, 0, 0};
    return ::poll(&entry, 1, 0) > 0 && (entry.revents & (POLLERR | POLLHUP)) != 0;
  }

 private:
  bool more(Duration patience) {
    pollfd entry{descriptor_, POLLIN, 0};
    if (::poll(&entry, 1, static_cast<int>(patience.count())) <= 0) return false;
    char bytes[65'536];
    const ssize_t got = ::recv(descriptor_, bytes, sizeof bytes, 0);
    if (got <= 0) {
      ended_ = true;
      return false;
    }
    in_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }

  int descriptor_;
  bool connected_ = false, ended_ = false;
  std::string in_;
};

inline std::string request_text(std::string_view method, std::string_view target, std::string_view body = {},
                                std::string_view headers = {}) {
  std::string out = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n";
  if (!body.empty()) {
    out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    if (headers.find("Content-Type") == std::string_view::npos) out += "Content-Type: application/json\r\n";
  }
  out += headers;
  return out + "\r\n" + std::string(body);
}

class HttpTest : public testing::Test {
 protected:
  void TearDown() override {
    if (server_) server_->stop();
    server_.reset();
    client_.reset();
  }

  /// Before start(): the functions of this host.
  void declare(const std::vector<FunctionInfo>& functions) {
    const auto catalog = std::make_shared<FunctionCatalog>();
    for (const FunctionInfo& function : functions) {
      catalog->functions[function.name] = function;
      if (!function.function_field.empty()) catalog->function_field[function.queue] = function.function_field;
    }
    client_options_.functions = catalog;
  }
  static FunctionInfo function(const std::string& name, const std::string& queue) {
    FunctionInfo info;
    info.name = FunctionName(name);
    info.queue = QueueName(queue);
    return info;
  }

  /// Changes to `options_`, `client_options_`, `host_` ... come before.
  void start() {
    options_.listen = "127.0.0.1:0";
    client_ = make_client(*measured_, env_, metrics_, client_options_);
    ServerParts parts{*client_, server_clock_ ? *server_clock_ : static_cast<const Clock&>(clock_), host_,
                      why_, files_};
    parts.link_check = link_check_;
    server_ = std::make_unique<HttpServer>(options_, parts);
    auto port = server_->start();
    ASSERT_TRUE(port) << port.error().message;
    port_ = *port;
  }
  Answer ask(std::string_view method, std::string_view target, std::string_view body = {},
             std::string_view headers = {}) {
    RawClient client(port_);
    client.send(request_text(method, target, body, headers));
    return client.receive(method == "HEAD");
  }
  /// Takes one job as a worker does; fails the test if there is none within ten seconds.
  Taken take(const std::string& queue) {
    for (int i = 0; i < 100; ++i) {
      TakeRequest turn;
      turn.queue = QueueName(queue);
      turn.op = {SessionName("test-worker"), ++turns_};
      turn.take = 1;
      turn.worker = "test";
      turn.long_poll = Duration(100);
      auto reply = measured_->finish_and_take(turn).get();
      if (reply && !reply->taken.empty()) return reply->taken.front();
    }
    ADD_FAILURE() << "no job in " << queue;
    return {};
  }
  void finish(const std::string& queue, const Taken& taken, Outcome outcome, Retention keep = {},
              std::optional<Usage> usage = {}) {
    TakeRequest turn;
    turn.queue = QueueName(queue);
    turn.op = {SessionName("test-worker"), ++turns_};
    turn.worker = "test";
    Finish finish;
    finish.id = taken.job.id;
    finish.token = taken.token;
    finish.outcome = std::move(outcome);
    finish.keep = keep;
    finish.usage = std::move(usage);
    turn.finished.push_back(finish);
    auto reply = measured_->finish_and_take(turn).get();
    ASSERT_TRUE(reply);
    ASSERT_TRUE(reply->finished.front()) << reply->finished.front().error().message;
  }

  ServerOptions options_;
  ClientOptions client_options_;
  HostView host_;
  WhyWaiting why_;
  const ResultFiles* files_ = nullptr;
  LinkCheck link_check_;
  /// For the server's deadlines; default: the real one.
  const Clock* server_clock_ = nullptr;

  SystemClock clock_;
  SystemRandom random_;
  ThreadLoop loop_{"test-loop"};
  Env env_{clock_, random_, loop_};
  Metrics metrics_;
  ModelStore store_{clock_, static_cast<Loop&>(loop_)};
  std::unique_ptr<Store> measured_ = make_measured_store(store_, metrics_, clock_);
  std::unique_ptr<Client> client_;
  std::unique_ptr<HttpServer> server_;
  std::uint16_t port_ = 0;
  std::uint64_t turns_ = 0;
};

}  // namespace gaur::http
