// Adds over HTTP: many keep-alive connections, one job a request, each answered after its commit. Server,
// store and the load run in one process; the load is one thread over poll(2), so what it costs is part of
// the figure.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>

#include "api/client_factory.hpp"
#include "api/measured_store.hpp"
#include "base/system_env.hpp"
#include "embedded/embedded_store.hpp"
#include "http/server.hpp"

namespace {

using namespace gaur;

struct Load {
  std::size_t connections = 64;
  std::size_t requests = 100'000;
  std::string request;
};

struct Figures {
  double seconds = 0;
  /// Sorted.
  std::vector<double> latencies_ms;
  std::size_t errors = 0;
};

int connect_to(std::uint16_t port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) std::abort();
  return descriptor;
}

/// Answers carry Content-Length and are small: one recv mostly holds a whole one.
bool whole(const std::string& in) {
  const std::size_t head = in.find("\r\n\r\n");
  if (head == std::string::npos) return false;
  const std::size_t at = in.find("Content-Length: ");
  return at < head && in.size() >= head + 4 + std::strtoul(in.c_str() + at + 16, nullptr, 10);
}

Figures run(const Load& load, std::uint16_t port, const Clock& clock) {
  Figures figures;
  std::vector<pollfd> sockets;
  std::vector<std::string> received(load.connections);
  std::vector<Instant> sent(load.connections);
  std::size_t left = load.requests;
  std::size_t open = 0;
  const auto send_one = [&](std::size_t i) {
    sent[i] = clock.now();
    if (::send(sockets[i].fd, load.request.data(), load.request.size(), MSG_NOSIGNAL) < 0) std::abort();
    --left;
    ++open;
  };
  for (std::size_t i = 0; i < load.connections; ++i) sockets.push_back({connect_to(port), POLLIN, 0});
  const Instant begin = clock.now();
  for (std::size_t i = 0; i < load.connections && left > 0; ++i) send_one(i);
  char bytes[16'384];
  while (open > 0 && ::poll(sockets.data(), sockets.size(), 10'000) > 0) {
    for (std::size_t i = 0; i < sockets.size(); ++i) {
      if ((sockets[i].revents & POLLIN) == 0) continue;
      const ssize_t got = ::recv(sockets[i].fd, bytes, sizeof bytes, 0);
      if (got <= 0) std::abort();
      received[i].append(bytes, static_cast<std::size_t>(got));
      if (!whole(received[i])) continue;
      if (!received[i].starts_with("HTTP/1.1 202 ")) ++figures.errors;
      received[i].clear();
      figures.latencies_ms.push_back(
          std::chrono::duration<double, std::milli>(clock.now() - sent[i]).count());
      --open;
      if (left > 0) send_one(i);
    }
  }
  figures.seconds = std::chrono::duration<double>(clock.now() - begin).count();
  for (const pollfd& socket : sockets) ::close(socket.fd);
  std::sort(figures.latencies_ms.begin(), figures.latencies_ms.end());
  return figures;
}

double quantile(const std::vector<double>& sorted, double q) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))];
}

int measure(const Load& load, const std::filesystem::path& folder) {
  SystemClock clock;
  SystemRandom random;
  ThreadLoop loop("gaur-loop");
  Env env{clock, random, loop};
  EmbeddedOptions store_options;
  store_options.folder = folder;
  auto store = open_embedded(store_options, clock, loop);
  if (!store) {
    fmt::print(stderr, "{}\n", store.error().message);
    return 1;
  }
  Metrics metrics;
  const auto measured = make_measured_store(**store, metrics, clock);
  const auto client = make_client(*measured, env, metrics);
  ServerOptions options;
  options.listen = "127.0.0.1:0";
  options.limits.requests_a_connection = ~0ULL;
  HttpServer server(options, {*client, clock, {}, {}, nullptr});
  const auto port = server.start();
  if (!port) {
    fmt::print(stderr, "{}\n", port.error().message);
    return 1;
  }
  const Figures figures = run(load, *port, clock);
  server.stop();
  const EmbeddedStats stats = (*store)->stats();
  fmt::print(
      R"({{"bench":"http_adds","connections":{},"requests":{},"request_bytes":{},"errors":{},"seconds":{:.3f},"adds_per_second":{:.0f},)"
      R"("p50_ms":{:.3f},"p99_ms":{:.3f},"commits":{},"jobs_a_commit":{:.1f},"syncs":{}}})"
      "\n",
      load.connections, figures.latencies_ms.size(), load.request.size(), figures.errors, figures.seconds,
      static_cast<double>(figures.latencies_ms.size()) / figures.seconds, quantile(figures.latencies_ms, 0.5),
      quantile(figures.latencies_ms, 0.99), stats.commits,
      static_cast<double>(stats.jobs_added) / static_cast<double>(std::max<std::uint64_t>(1, stats.commits)),
      stats.syncs);
  return figures.errors == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"HTTP adds, durable"};
  Load load;
  std::string folder;
  app.add_option("--connections", load.connections, "keep-alive connections")->capture_default_str();
  app.add_option("--requests", load.requests, "requests in all")->capture_default_str();
  app.add_option("--folder", folder,
                 "data folder, new or empty; default: a fresh one below the current folder");
  CLI11_PARSE(app, argc, argv);
  const std::string body =
      R"({"name":"top_keywords","data":{"region":"서울","day":"2026-11-22","limit":50,"note":")" +
      std::string(100, 'x') + "\"}}";
  load.request = fmt::format(
      "POST /v1/queues/query/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
      "application/json\r\nContent-Length: {}\r\n\r\n{}",
      body.size(), body);
  const bool own = folder.empty();
  if (own) folder = fmt::format("http-bench-{}", ::getpid());
  const int code = measure(load, folder);
  if (own) std::filesystem::remove_all(folder);
  return code;
}
