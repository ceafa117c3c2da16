#pragma once
// A TCP proxy that fails on command: between Gaur and Redis, on a loopback port of its own.
// Thread-safety: every member function from any thread.
#include <atomic>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/fd.hpp"

namespace gaur::test {

class Proxy {
 public:
  explicit Proxy(std::uint16_t to_port);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;
  std::uint16_t port() const { return port_; }

  /// From now on: whenever a script call passes that never passed before, byte for byte, its reply is
  /// swallowed and the connection cut. Sent again it passes. So each reply is lost once.
  void cut_each_script_once(bool on) { cut_scripts_ = on; }
  /// Drops everything in both directions without closing the connections: packets into the void.
  void black_hole(bool on);

  std::uint64_t cuts() const { return cuts_; }

 private:
  struct Line {
    Fd client, server;
    std::string to_server, to_client;
    /// The next bytes of the server end this line.
    bool cut = false;
    bool dead = false;
  };
  void run();
  void accept();
  void look_at(Line& line, const std::string& bytes);
  void step(Line& line, short client_events, short server_events);

  Fd listener_, wake_read_, wake_write_;
  std::uint16_t port_ = 0, to_port_ = 0;
  std::atomic<bool> cut_scripts_{false}, hole_{false}, stopping_{false};
  std::atomic<std::uint64_t> cuts_{0};
  std::vector<std::unique_ptr<Line>> lines_;  // the thread's own, as is seen_
  std::set<std::size_t> seen_;
  std::thread thread_;
};

}  // namespace gaur::test
