#include "chaos/proxy.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

#include "redis/parser.hpp"

namespace gaur::test {
namespace {

constexpr std::size_t kAtMost = 1U << 20U;  // unsent bytes of one direction; then that side is not read

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

/// Reads what is there; false at the end.
bool pull(int fd, std::string& into) {
  char buffer[65536];
  const auto got = ::recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (got > 0) into.append(buffer, static_cast<std::size_t>(got));
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

bool push(int fd, std::string& from) {
  if (from.empty()) return true;
  const auto sent = ::send(fd, from.data(), from.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent > 0) from.erase(0, static_cast<std::size_t>(sent));
  return sent > 0 || errno == EAGAIN || errno == EINTR;
}

}  // namespace

Proxy::Proxy(std::uint16_t to_port) : to_port_(to_port) {
  listener_ = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto pipe = make_pipe();
  if (!pipe || ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener_.get(), 64) != 0 ||
      ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  wake_read_ = std::move(pipe->read);
  wake_write_ = std::move(pipe->write);
  thread_ = std::thread([this] { run(); });
}

Proxy::~Proxy() {
  stopping_ = true;
  (void)write_all(wake_write_.get(), "x");
  thread_.join();
}

void Proxy::black_hole(bool on) {
  hole_ = on;
  (void)write_all(wake_write_.get(), "x");
}

void Proxy::accept() {
  auto line = std::make_unique<Line>();
  line->client = Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  line->server = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(to_port_);
  if (::connect(line->server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
  const int on = 1;
  ::setsockopt(line->client.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(line->server.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  lines_.push_back(std::move(line));
}

/// Commands that came together are looked at one by one: one that is new is enough.
void Proxy::look_at(Line& line, const std::string& bytes) {
  redis::Parser parser;
  parser.feed(bytes);
  for (auto found = parser.next(); found && *found; found = parser.next()) {
    const auto* words = (*found)->reply.array();
    if (words == nullptr || words->empty() || (*words)[0].text() == nullptr) continue;
    if (!(*words)[0].text()->starts_with("EVAL")) continue;
    std::string all;
    for (std::size_t i = 2; i < words->size(); ++i)
      all += *(*words)[i].text() + '\0';  // as text or by digest
    if (seen_.insert(std::hash<std::string>()(all)).second) line.cut = true;
  }
}

void Proxy::step(Line& line, short client_events, short server_events) {
  constexpr short kReadable = POLLIN | POLLHUP | POLLERR;
  if ((client_events & kReadable) != 0) {
    const std::size_t before = line.to_server.size();
    if (!pull(line.client.get(), line.to_server)) line.dead = true;
    if (cut_scripts_ && line.to_server.size() > before) look_at(line, line.to_server.substr(before));
  }
  if ((server_events & kReadable) != 0) {
    const std::size_t before = line.to_client.size();
    if (!pull(line.server.get(), line.to_client)) line.dead = true;
    if (line.cut && line.to_client.size() > before) {
      line.dead = true;
      ++cuts_;
      return;
    }
  }
  if (!push(line.server.get(), line.to_server) || !push(line.client.get(), line.to_client)) line.dead = true;
}

void Proxy::run() {
  while (!stopping_) {
    const bool hole = hole_;
    std::vector<pollfd> polled{{wake_read_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    for (const auto& line : lines_) {
      const auto events = [](const std::string& out, const std::string& in) {
        return static_cast<short>((in.size() < kAtMost ? POLLIN : 0) | (out.empty() ? 0 : POLLOUT));
      };
      // Closed sockets would wake the loop at once and for ever: in the hole nobody is listened to.
      polled.push_back({hole ? -1 : line->client.get(), events(line->to_client, line->to_server), 0});
      polled.push_back({hole ? -1 : line->server.get(), events(line->to_server, line->to_client), 0});
    }
    if (::poll(polled.data(), polled.size(), 1'000) < 0) continue;
    if ((polled[0].revents & POLLIN) != 0) {
      char ignored[64];
      (void)!::read(wake_read_.get(), ignored, sizeof ignored);
    }
    for (std::size_t i = 0; !hole && i < lines_.size(); ++i) {
      step(*lines_[i], polled[2 + 2 * i].revents, polled[3 + 2 * i].revents);
    }
    std::erase_if(lines_, [](const auto& line) { return line->dead; });
    if ((polled[1].revents & POLLIN) != 0) accept();
  }
}

}  // namespace gaur::test
