#include <fmt/format.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <future>
#include <thread>

#include "base/system_env.hpp"
#include "base/try.hpp"
#include "http/connection_io.hpp"
#include "http/server.hpp"
#include "http/token_rule.hpp"
#include "http/values.hpp"

namespace gaur {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr Duration kSweepEvery{100};
constexpr std::size_t kMostSurplus = 64;   // connections beyond a limit that may still send a request
constexpr Duration kAcceptPause{100};      // after an error like "too many open files"
constexpr Duration kGraceForAnswers{300};  // when stopping: afterwards waits are answered with 503
constexpr Duration kGraceForWriting{2'000};

/// Runs tasks on the server's thread, and drops them once the server stopped.
class IoExecutor final : public Executor {
 public:
  explicit IoExecutor(std::shared_ptr<http::ServerCore> core) : core_(std::move(core)) {}
  void post(std::function<void()> task) override {
    if (core_->closed) return;
    // The task runs on the server's thread, which owns the core; owning it here as well would be a cycle.
    asio::post(core_->io, [core = core_.get(), task = std::move(task)] {
      if (!core->closed) task();
    });
  }

 private:
  std::shared_ptr<http::ServerCore> core_;  // shared with answers of the store that outlive the server
};

Result<tcp::endpoint> parse_listen(const std::string& listen) {
  const std::size_t colon = listen.rfind(':');
  const Error bad{
      Errc::kInvalidArgument,
      fmt::format(
          "server.listen: \"address:port\" like \"127.0.0.1:8378\" or \"[::1]:8378\" is expected, was \"{}\"",
          listen)};
  if (colon == std::string::npos) return bad;
  std::string host = listen.substr(0, colon);
  const auto port = http::parse_number(std::string_view(listen).substr(colon + 1));
  if (!port || *port > 65'535) return bad;
  if (host == "localhost") host = "127.0.0.1";
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (error) return bad;
  return tcp::endpoint(address, static_cast<std::uint16_t>(*port));
}

/// One client usually has all addresses of an IPv6 /64 network.
std::string network_of(const asio::ip::address& address) {
  if (!address.is_v6()) return address.to_string();
  auto bytes = address.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), 0);
  return asio::ip::address_v6(bytes).to_string() + "/64";
}

Status check_exposure(const tcp::endpoint& endpoint, const ServerOptions& options) {
  if (!options.tokens.empty() || !options.tls.client_ca.empty() || endpoint.address().is_loopback())
    return ok();
  return Error{
      Errc::kPermission,
      fmt::format(
          "server.listen: {} can be reached from other machines and no token is set; set server.token_file, "
          "or listen on 127.0.0.1",
          endpoint.address().to_string())};
}

Status check_tokens(const std::vector<http::TokenGrant>& tokens) {
  for (const http::TokenGrant& token : tokens) {
    if (token.secrets.empty())
      return Error{Errc::kInvalidArgument, fmt::format("the token {} has no secret", token.name)};
    for (const std::string& secret : token.secrets) {
      if (const Status good = http::check_token_rule(secret); !good) return good.error().in(token.name);
    }
  }
  return ok();
}

/// The one token without a name of its own becomes one of the tokens.
ServerOptions with_named_token(ServerOptions options) {
  const std::string secret = std::exchange(options.token, "");
  if (!secret.empty()) options.tokens.push_back(http::admin_grant("server.token", {secret}));
  return options;
}

}  // namespace

struct HttpServer::Impl {
  Impl(ServerOptions o, ServerParts parts)
      : options(with_named_token(std::move(o))),
        core(std::make_shared<http::ServerCore>(options.limits, parts.clock)),
        service(options, parts, std::make_shared<IoExecutor>(core)),
        acceptor(core->io),
        sweep(core->io),
        pause(core->io) {
    core->service = &service;
  }

  Result<std::uint16_t> listen();
  void accept();
  void on_accept(error_code error, tcp::socket socket);
  void sweep_deadlines();
  void stop_accepting();
  void after(asio::steady_timer& timer, Duration delay, std::function<void()> task);

  const ServerOptions options;
  std::shared_ptr<http::ServerCore> core;  // shared with connections and with answers in progress
  http::Service service;
  tcp::acceptor acceptor;
  asio::steady_timer sweep, pause;
  /// For further connections; confined to the server's thread after start().
  http::TlsContext tls;
  std::thread thread;
  bool running = false;
};

HttpServer::HttpServer(ServerOptions options, ServerParts parts)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(parts))) {}

HttpServer::~HttpServer() {
  stop();
}

Result<std::uint16_t> HttpServer::Impl::listen() {
  GAUR_TRY(const tcp::endpoint endpoint, parse_listen(options.listen));
  GAUR_CHECK(check_tokens(options.tokens));
  GAUR_CHECK(check_exposure(endpoint, options));
  if (options.tls.on()) {
    GAUR_TRY(tls, http::make_server_context(options.tls));
  }
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (!error) return acceptor.local_endpoint().port();
  error_code ignored;
  acceptor.close(ignored);
  const bool taken = error == asio::error::address_in_use;
  return Error{taken ? Errc::kBusy : Errc::kIo,
               fmt::format("cannot listen on {}: {}{}", options.listen, error.message(),
                           taken ? "; another program listens there, choose another port" : "")};
}

Result<std::uint16_t> HttpServer::start() {
  GAUR_TRY(const std::uint16_t port, impl_->listen());
  impl_->running = true;
  impl_->accept();
  impl_->sweep_deadlines();
  impl_->thread = std::thread([core = impl_->core] {
    name_this_thread("gaur-http");
    const auto work = asio::make_work_guard(core->io);
    core->io.run();
  });
  return port;
}

void HttpServer::Impl::after(asio::steady_timer& timer, Duration delay, std::function<void()> task) {
  timer.expires_after(delay);
  timer.async_wait([task = std::move(task)](error_code error) {
    if (!error) task();
  });
}

void HttpServer::Impl::accept() {
  acceptor.async_accept(
      [this](error_code error, tcp::socket socket) { on_accept(error, std::move(socket)); });
}

void HttpServer::Impl::on_accept(error_code error, tcp::socket socket) {
  if (error == asio::error::operation_aborted || !acceptor.is_open()) return;
  if (error) return after(pause, kAcceptPause, [this] { accept(); });
  http::ConnectionOptions made;
  made.tls = tls;
  error_code gone;
  const tcp::endpoint peer = socket.remote_endpoint(gone);
  const auto& proxies = options.trusted_proxies;
  if (!gone && std::ranges::find(proxies, peer.address().to_string()) == proxies.end())
    made.counted_as = network_of(peer.address());
  const auto counted = core->by_address.find(made.counted_as);
  made.surplus =
      core->connections.size() - core->surplus.size() >= options.limits.connections ||
      (counted != core->by_address.end() && counted->second >= options.limits.connections_per_address);
  // The oldest is closed, so that a client that sends nothing cannot keep out a health check.
  if (made.surplus && core->surplus.size() >= kMostSurplus) core->surplus.front()->close();
  std::make_shared<http::Connection>(core, std::move(socket), std::move(made))->start();
  accept();
}

void HttpServer::Impl::sweep_deadlines() {
  const Instant now = core->clock.now();
  const std::vector<std::shared_ptr<http::Connection>> all(core->connections.begin(),
                                                           core->connections.end());
  for (const auto& connection : all) connection->check_deadline(now);
  after(sweep, kSweepEvery, [this] { sweep_deadlines(); });
}

void HttpServer::Impl::stop_accepting() {
  error_code ignored;
  acceptor.close(ignored);
  service.begin_stop();
  const std::vector<std::shared_ptr<http::Connection>> all(core->connections.begin(),
                                                           core->connections.end());
  for (const auto& connection : all) connection->finish_soon();
}

Status HttpServer::set_tokens(std::vector<http::TokenGrant> tokens) {
  if (tokens.empty())
    return Error{Errc::kInvalidArgument,
                 "the last token cannot be removed while the server runs; restart it to use none"};
  GAUR_CHECK(check_tokens(tokens));
  asio::post(impl_->core->io, [core = impl_->core, tokens = std::move(tokens)]() mutable {
    if (core->service != nullptr) core->service->set_tokens(std::move(tokens));
  });
  return ok();
}

Status HttpServer::set_tls(const http::TlsFiles& files) {
  if (!impl_->options.tls.on() || !files.on())
    return Error{Errc::kInvalidArgument, "TLS cannot be turned on or off while the server runs"};
  GAUR_TRY(http::TlsContext made, http::make_server_context(files));
  asio::post(impl_->core->io, [impl = impl_.get(), made = std::move(made)] {
    if (!impl->core->closed) impl->tls = made;
  });
  return ok();
}

void HttpServer::stop() {
  if (!impl_->running) return;
  impl_->running = false;
  auto& impl = *impl_;
  const auto for_all = [&impl](void (http::Connection::*action)()) {
    const std::vector<std::shared_ptr<http::Connection>> all(impl.core->connections.begin(),
                                                             impl.core->connections.end());
    for (const auto& connection : all) ((*connection).*action)();
  };
  // The rest runs on the server's thread; this one waits until no connection is left.
  std::promise<void> done;
  asio::steady_timer grace(impl.core->io), watch(impl.core->io);
  std::function<void(Duration)> wait_for_last = [&](Duration waited) {
    if (impl.core->connections.empty() || waited >= kGraceForWriting) {
      for_all(&http::Connection::close);
      grace.cancel();
      done.set_value();
      return;
    }
    impl.after(watch, Duration(10), [&wait_for_last, waited] { wait_for_last(waited + Duration(10)); });
  };
  asio::post(impl.core->io, [&] {
    impl.stop_accepting();
    impl.after(grace, kGraceForAnswers, [&] { for_all(&http::Connection::give_up_answer); });
    wait_for_last(Duration{0});
  });
  done.get_future().wait();
  impl.core->closed = true;
  impl.core->io.stop();
  impl.thread.join();
  impl.core->service = nullptr;
  impl.core->io.restart();
  impl.core->io.poll();  // queued tasks own connections; with `closed` set they do nothing
}

}  // namespace gaur
