#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include "app/host/http_call.hpp"
#include "base/try.hpp"
#include "http/tls_io.hpp"

namespace gaur::app {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::uint64_t kMostBytes = 8 << 20;

struct Address {
  std::string host, port;
  bool tls = false;
};

Result<Address> address_of(const std::string& url) {
  constexpr std::string_view kPlain = "http://", kTls = "https://";
  const bool tls = url.starts_with(kTls);
  const std::string rest = tls                       ? url.substr(kTls.size())
                           : url.starts_with(kPlain) ? url.substr(kPlain.size())
                                                     : "";
  const std::size_t colon = rest.rfind(':');
  if (rest.empty() || colon == std::string::npos)
    return Error{Errc::kInvalidArgument, fmt::format("{} is not a URL of the form http://HOST:PORT", url)};
  std::string host = rest.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return Address{host, rest.substr(colon + 1), tls};
}

/// One connection and its request. Each step has the timeout of the call.
class Exchange {
 public:
  explicit Exchange(const HttpCall& call) : call_(call) {}

  Status connect(const Address& address) {
    beast::error_code problem;
    asio::ip::tcp::resolver resolver(io_);
    const auto found = resolver.resolve(address.host, address.port, problem);
    if (problem) return Error{Errc::kDisconnected, fmt::format("{}: {}", address.host, problem.message())};
    problem = wait([&](auto done) { stream_.async_connect(found, done); });
    if (!problem) return address.tls ? start_tls() : ok();
    return Error{problem == beast::error::timeout ? Errc::kTimeout : Errc::kDisconnected,
                 fmt::format("no host listens on {}:{}: {}", address.host, address.port, problem.message())};
  }

  Status send(const Address& address) {
    http::request<http::empty_body> request;
    request.method_string(call_.method);
    request.target(call_.path);
    const bool v6 = address.host.find(':') != std::string::npos;
    request.set(http::field::host, (v6 ? "[" + address.host + "]" : address.host) + ":" + address.port);
    if (!call_.token.empty()) request.set(http::field::authorization, "Bearer " + call_.token);
    request.keep_alive(false);
    request.content_length(0);
    return checked(wait([&](auto done) {
      tls_ ? http::async_write(*tls_, request, done) : http::async_write(stream_, request, done);
    }));
  }

  Result<HttpAnswer> receive() {
    http::response_parser<http::string_body> parser;
    parser.body_limit(kMostBytes);
    beast::flat_buffer buffer;
    GAUR_CHECK(checked(wait([&](auto done) {
      tls_ ? http::async_read(*tls_, buffer, parser, done) : http::async_read(stream_, buffer, parser, done);
    })));
    return HttpAnswer{static_cast<int>(parser.get().result_int()), std::move(parser.get().body())};
  }

 private:
  Status start_tls() {
    if (!call_.tls.on())
      return Error{
          Errc::kInvalidArgument,
          "the host uses TLS, and server.tls_certificate is not set here; use the host's configuration"};
    GAUR_TRY(context_, gaur::http::make_pinned_context(call_.tls));
    tls_.emplace(stream_, *context_);
    const auto problem =
        wait([&](auto done) { tls_->async_handshake(asio::ssl::stream_base::client, done); });
    if (!problem) return ok();
    return Error{Errc::kPermission,
                 fmt::format("the host's certificate is not the one in {}, or TLS failed: {}",
                             call_.tls.certificate.string(), problem.message())};
  }

  /// Starts an operation and runs it to its end.
  template <class Start>
  beast::error_code wait(Start start) {
    beast::error_code result;
    stream_.expires_after(call_.timeout);
    start([&result](beast::error_code problem, const auto&...) { result = problem; });
    io_.restart();
    io_.run();
    return result;
  }

  static Status checked(const beast::error_code& problem) {
    if (!problem) return ok();
    if (problem == beast::error::timeout) return Error{Errc::kTimeout, "the host did not reply in time"};
    if (problem == http::error::body_limit) return Error{Errc::kCorrupt, "the reply is larger than 8 MiB"};
    if (problem.category() == http::make_error_code(http::error::bad_version).category() &&
        problem != http::error::end_of_stream)
      return Error{Errc::kCorrupt, "the reply is not HTTP: " + problem.message()};
    return Error{Errc::kDisconnected, "the host closed the connection: " + problem.message()};
  }

  const HttpCall& call_;
  asio::io_context io_;
  beast::tcp_stream stream_{io_};
  gaur::http::TlsContext context_;
  std::optional<beast::ssl_stream<beast::tcp_stream&>> tls_;
};

}  // namespace

Result<HttpAnswer> call_http(const HttpCall& call) {
  GAUR_TRY(const Address address, address_of(call.url));
  Exchange exchange(call);
  GAUR_CHECK(exchange.connect(address));
  GAUR_CHECK(exchange.send(address));
  return exchange.receive();
}

}  // namespace gaur::app
