#include <fmt/format.h>
#include <netinet/tcp.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <thread>

#include "base/system_env.hpp"
#include "redis/wire.hpp"

namespace gaur::redis {

namespace asio = boost::asio;
using boost::system::error_code;
using Stream = asio::generic::stream_protocol;

namespace {
constexpr std::size_t kReadSize = 64U << 10U;
}

struct Reactor::Impl {
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{asio::make_work_guard(io)};
  std::thread thread;
};

Reactor::Reactor(std::string thread_name) : impl_(std::make_unique<Impl>()) {
  impl_->thread = std::thread([impl = impl_.get(), name = std::move(thread_name)] {
    name_this_thread(name);
    impl->io.run();
  });
}

Reactor::~Reactor() {
  stop();
}

void Reactor::stop() {
  if (!impl_->thread.joinable()) return;
  asio::post(impl_->io, [this] { impl_->io.stop(); });
  impl_->thread.join();
}

void Reactor::post(std::function<void()> task) {
  asio::post(impl_->io, std::move(task));
}

struct Alarm::Impl {
  Impl(asio::io_context& io, std::function<void()> r) : timer(io), ring(std::move(r)) {}
  asio::steady_timer timer;
  std::function<void()> ring;
  std::optional<Instant> armed;
};

Alarm::Alarm(Reactor& reactor, std::function<void()> ring)
    : impl_(std::make_shared<Impl>(reactor.impl().io, std::move(ring))) {}

Alarm::~Alarm() {
  impl_->ring = nullptr;
}

void Alarm::set(Instant when) {
  if (impl_->armed && *impl_->armed <= when) return;  // it fires earlier, and the callback sets it again
  impl_->armed = when;
  impl_->timer.expires_at(when);
  impl_->timer.async_wait([impl = impl_](error_code error) {
    if (error || !impl->ring) return;
    impl->armed.reset();
    impl->ring();
  });
}

void Alarm::clear() {
  impl_->armed.reset();
  impl_->timer.cancel();
}

/// One connection, from resolving the name to its end. `wire` is null after close().
struct Wire::Attempt : std::enable_shared_from_this<Wire::Attempt> {
  Attempt(Wire& owner, asio::io_context& io)
      : wire(&owner), options(owner.options_), resolver(io), socket(io) {}

  void start();
  void connect_next(error_code last);
  void connected();
  void begin_tls();
  Status prepare_tls(asio::ssl::context& context) const;
  Error tls_error(error_code error);
  void live();
  void read();
  void write(std::string bytes);
  void fail(Error why);
  void fail(std::string_view what, error_code error);
  void end();

  Wire* wire;
  const ClientOptions options;  // a copy: operations may outlive the client by a moment
  asio::ip::tcp::resolver resolver;
  std::vector<Stream::endpoint> endpoints;
  std::size_t next_endpoint = 0;
  Stream::socket socket;
  std::optional<asio::ssl::context> tls_context;
  std::optional<asio::ssl::stream<Stream::socket&>> tls;
  std::vector<char> in;
  std::string out;
};

void Wire::Attempt::fail(Error why) {
  Wire* owner = std::exchange(wire, nullptr);
  end();
  if (owner == nullptr) return;
  owner->attempt_.reset();
  owner->handlers_.closed(std::move(why));
}

void Wire::Attempt::fail(std::string_view what, error_code error) {
  if (wire == nullptr) return;
  const bool over = error == asio::error::eof || error == asio::ssl::error::stream_truncated;
  fail({Errc::kDisconnected, fmt::format("{} {}: {}", what, to_text(options.endpoint),
                                         over ? "the server closed the connection" : error.message())});
}

void Wire::Attempt::end() {
  error_code ignored;
  resolver.cancel();
  socket.close(ignored);
}

void Wire::Attempt::start() {
  const Endpoint& at = options.endpoint;
  auto self = shared_from_this();
  if (!at.unix_path.empty()) {
    if (at.unix_path.size() >= sizeof(sockaddr_un{}.sun_path)) {
      asio::post(socket.get_executor(), [self] {
        self->fail({Errc::kInvalidArgument, "the path of the Unix socket is too long"});
      });
      return;
    }
    endpoints = {Stream::endpoint(asio::local::stream_protocol::endpoint(at.unix_path))};
    return connect_next({});
  }
  error_code not_numeric;
  const auto address = asio::ip::make_address(at.host, not_numeric);
  if (!not_numeric) {
    endpoints = {Stream::endpoint(asio::ip::tcp::endpoint(address, at.port))};
    return connect_next({});
  }
  resolver.async_resolve(at.host, std::to_string(at.port),
                         [self](error_code error, const asio::ip::tcp::resolver::results_type& found) {
                           if (self->wire == nullptr) return;
                           if (error) return self->fail("cannot resolve", error);
                           const std::uint8_t family = self->options.endpoint.family;
                           for (const auto& each : found) {
                             const std::uint8_t version = each.endpoint().address().is_v6() ? 6 : 4;
                             if (family == 0 || family == version)
                               self->endpoints.emplace_back(each.endpoint());
                           }
                           if (self->endpoints.empty())
                             return self->fail("cannot resolve", asio::error::host_not_found);
                           self->connect_next({});
                         });
}

void Wire::Attempt::connect_next(error_code last) {
  if (next_endpoint == endpoints.size()) return fail("cannot connect to", last);
  error_code ignored;
  socket.close(ignored);
  socket.async_connect(endpoints[next_endpoint++], [self = shared_from_this()](error_code error) {
    if (self->wire == nullptr) return;
    if (error) return self->connect_next(error);
    self->connected();
  });
}

void Wire::Attempt::connected() {
  if (options.endpoint.unix_path.empty()) {
    error_code ignored;  // these options are optional
    const auto set = [&](int level, int name, int value) {
      ::setsockopt(socket.native_handle(), level, name, &value, sizeof value);
    };
    const int idle = std::max(1, static_cast<int>(options.keepalive.count() / 1000));
    socket.set_option(asio::socket_base::keep_alive(options.keepalive.count() > 0), ignored);
    set(IPPROTO_TCP, TCP_NODELAY, 1);
    set(IPPROTO_TCP, TCP_KEEPIDLE, idle);
    set(IPPROTO_TCP, TCP_KEEPINTVL, std::max(1, idle / 2));
    set(IPPROTO_TCP, TCP_KEEPCNT, 3);
    if (options.endpoint.tls.on) return begin_tls();
  }
  live();
}

Status Wire::Attempt::prepare_tls(asio::ssl::context& context) const {
  const TlsOptions& with = options.endpoint.tls;
  error_code error;
  const auto bad = [&](std::string_view what, const std::string& file) {
    return Error{Errc::kInvalidArgument,
                 fmt::format("{} \"{}\" cannot be used: {}", what, file, error.message())};
  };
  context.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                      asio::ssl::context::no_tlsv1_1);
  if (with.ca_file.empty()) {
    context.set_default_verify_paths(error);
  } else {
    context.load_verify_file(with.ca_file, error);
  }
  if (error) return bad("the file of authorities", with.ca_file);
  if (!with.cert_file.empty()) context.use_certificate_chain_file(with.cert_file, error);
  if (error) return bad("our certificate", with.cert_file);
  if (!with.key_file.empty()) context.use_private_key_file(with.key_file, asio::ssl::context::pem, error);
  if (error) return bad("our certificate's key", with.key_file);
  return ok();
}

void Wire::Attempt::begin_tls() {
  tls_context.emplace(
      asio::ssl::context::tls_client);  // created for each attempt, because files may have been renewed
  if (auto prepared = prepare_tls(*tls_context); !prepared) return fail(std::move(prepared).error());
  tls.emplace(socket, *tls_context);
  const Endpoint& at = options.endpoint;
  const std::string name = at.tls.server_name.empty() ? at.host : at.tls.server_name;
  error_code not_numeric;
  asio::ip::make_address(name, not_numeric);
  SSL* ssl = tls->native_handle();
  if (not_numeric) {
    SSL_set_tlsext_host_name(ssl, name.c_str());
    SSL_set1_host(ssl, name.c_str());
  } else {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str());
  }
  error_code ignored;
  tls->set_verify_mode(asio::ssl::verify_peer, ignored);
  tls->async_handshake(asio::ssl::stream_base::client, [self = shared_from_this()](error_code error) {
    if (self->wire == nullptr) return;
    if (error) return self->fail(self->tls_error(error));
    self->live();
  });
}

/// A handshake error with advice: the certificate, or a server without TLS.
Error Wire::Attempt::tls_error(error_code error) {
  const Endpoint& at = options.endpoint;
  const std::string where = to_text(at);
  if (const long verdict = SSL_get_verify_result(tls->native_handle()); verdict != X509_V_OK) {
    const bool name = verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH;
    const char* advice = name ? "set server_name to a name that the certificate carries"
                              : "set ca to the authority that signed it";
    return {Errc::kPermission, fmt::format("the certificate of {} does not verify: {}; {}", where,
                                           X509_verify_cert_error_string(verdict), advice)};
  }
  if (error.category() == asio::error::get_ssl_category() && error != asio::ssl::error::stream_truncated) {
    const std::string message = error.message();
    if (message.find("alert") != std::string::npos) {
      return {Errc::kPermission, fmt::format("{} refuses our certificate: {}", where, message)};
    }
    return {Errc::kDisconnected, fmt::format("{} does not speak TLS with us: {}", where, message)};
  }
  return {Errc::kDisconnected, fmt::format("{} ended the TLS handshake: {}", where, error.message())};
}

void Wire::Attempt::live() {
  in.resize(kReadSize);
  read();
  wire->handlers_.opened();
}

void Wire::Attempt::read() {
  auto got = [self = shared_from_this()](error_code error, std::size_t size) {
    if (self->wire == nullptr) return;
    if (error) {
      // With TLS 1.3 the server rejects a client certificate only after the handshake.
      if (self->tls && error.category() == asio::error::get_ssl_category() &&
          error != asio::ssl::error::stream_truncated) {
        return self->fail(self->tls_error(error));
      }
      return self->fail("lost", error);
    }
    self->wire->handlers_.received({self->in.data(), size});
    if (self->wire != nullptr) self->read();
  };
  if (tls) {
    tls->async_read_some(asio::buffer(in), std::move(got));
  } else {
    socket.async_read_some(asio::buffer(in), std::move(got));
  }
}

void Wire::Attempt::write(std::string bytes) {
  out = std::move(bytes);
  auto done = [self = shared_from_this()](error_code error, std::size_t) {
    // The read reports the error as well, after the last bytes of the server.
    if (self->wire == nullptr || error) return;
    self->wire->handlers_.written();
  };
  if (tls) {
    asio::async_write(*tls, asio::buffer(out), std::move(done));
  } else {
    asio::async_write(socket, asio::buffer(out), std::move(done));
  }
}

Wire::Wire(Reactor& reactor, const ClientOptions& options, Handlers handlers)
    : reactor_(reactor), options_(options), handlers_(std::move(handlers)) {}

Wire::~Wire() {
  close();
}

void Wire::open() {
  close();
  attempt_ = std::make_shared<Attempt>(*this, reactor_.impl().io);
  attempt_->start();
}

void Wire::close() {
  if (!attempt_) return;
  attempt_->wire = nullptr;
  attempt_->end();
  attempt_.reset();
}

void Wire::write(std::string bytes) {
  if (attempt_) attempt_->write(std::move(bytes));
}

}  // namespace gaur::redis
