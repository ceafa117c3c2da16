#include "app/host/http_call.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

#include "base/fd.hpp"

namespace gaur::app {
namespace {

constexpr std::size_t kMostBytes = 8 << 20;

struct Address {
  std::string host, port;
};

Result<Address> address_of(const std::string& url) {
  constexpr std::string_view kScheme = "http://";
  const std::string rest = url.starts_with(kScheme) ? url.substr(kScheme.size()) : "";
  const std::size_t colon = rest.rfind(':');
  if (rest.empty() || colon == std::string::npos)
    return Error{Errc::kInvalidArgument, fmt::format("{} is no http://HOST:PORT", url)};
  std::string host = rest.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return Address{host, rest.substr(colon + 1)};
}

Result<Fd> connect_to(const Address& address, Duration timeout) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int failed = getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &found); failed != 0)
    return Error{Errc::kDisconnected, fmt::format("{}: {}", address.host, gai_strerror(failed))};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  int last_error = 0;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    Fd socket(::socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol));
    if (!socket) continue;
    timeval patience{};
    patience.tv_sec = timeout.count() / 1000;
    patience.tv_usec = timeout.count() % 1000 * 1000;
    setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (::connect(socket.get(), one->ai_addr, one->ai_addrlen) == 0) return socket;
    last_error = errno;
  }
  return Error{Errc::kDisconnected,
               fmt::format("nobody listens on {}:{}: {}", address.host, address.port, strerror(last_error))};
}

/// Everything until the other side closes, as it was asked to.
Result<std::string> read_all(int socket) {
  std::string text;
  std::array<char, 16 << 10> chunk{};
  while (text.size() <= kMostBytes) {
    const ssize_t got = ::recv(socket, chunk.data(), chunk.size(), 0);
    if (got == 0) return text;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
      return Error{Errc::kTimeout, "the host did not answer in time"};
    if (got < 0) return Error{Errc::kDisconnected, fmt::format("the host hung up: {}", strerror(errno))};
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return Error{Errc::kCorrupt, "the answer is over 8 MiB"};
}

}  // namespace

Result<HttpAnswer> call_http(const HttpCall& call) {
  GAUR_TRY(const Address address, address_of(call.url));
  GAUR_TRY(const Fd socket, connect_to(address, call.timeout));
  std::string request =
      fmt::format("{} {} HTTP/1.1\r\nHost: {}:{}\r\nConnection: close\r\nContent-Length: 0\r\n", call.method,
                  call.path, address.host, address.port);
  if (!call.token.empty()) request += fmt::format("Authorization: Bearer {}\r\n", call.token);
  request += "\r\n";
  std::size_t sent = 0;
  while (sent < request.size()) {
    const ssize_t put = ::send(socket.get(), request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return Error{Errc::kDisconnected, fmt::format("the host hung up: {}", strerror(errno))};
    sent += static_cast<std::size_t>(put);
  }
  GAUR_TRY(const std::string text, read_all(socket.get()));
  const std::size_t head = text.find("\r\n\r\n");
  HttpAnswer answer;
  constexpr std::size_t kStatusAt = 9;  // "HTTP/1.1 200 OK"
  const bool is_http = text.starts_with("HTTP/1.") && head != std::string::npos && head > kStatusAt + 3;
  if (is_http) std::from_chars(text.data() + kStatusAt, text.data() + kStatusAt + 3, answer.status);
  if (answer.status == 0) return Error{Errc::kCorrupt, "the answer is no HTTP"};
  answer.body = text.substr(head + 4);
  return answer;
}

}  // namespace gaur::app
