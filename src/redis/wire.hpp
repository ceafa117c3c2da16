#pragma once
// Sockets, TLS and timers of the state machines. Only wire_io.cpp uses Asio. Thread-safety: confined to the
// reactor's thread, except Reactor::post; the owner may create and destroy Wire and Alarm on that thread or
// while the reactor does not run.
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "redis/options.hpp"

namespace gaur::redis {

/// One I/O thread. The destructor ends it; tasks that did not run are dropped.
class Reactor {
 public:
  explicit Reactor(std::string thread_name);
  ~Reactor();
  void post(std::function<void()> task);
  /// Ends the thread after the tasks posted so far. Not from the thread itself.
  void stop();

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

/// One timer: the newest time counts.
class Alarm {
 public:
  Alarm(Reactor& reactor, std::function<void()> ring);
  ~Alarm();
  void set(Instant when);
  void clear();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with the timer's callback, which may be queued
};

/// At most one connection at a time to the endpoint. No handler is called from inside a function of Wire, nor
/// after close().
class Wire {
 public:
  struct Handlers {
    /// TLS handshake done and verified.
    std::function<void()> opened;
    /// kDisconnected; kPermission: a certificate of either side is not verified; kInvalidArgument: a
    /// certificate file is unusable.
    std::function<void(Error)> closed;
    std::function<void(std::string_view)> received;
    std::function<void()> written;
  };
  Wire(Reactor& reactor, const ClientOptions& options, Handlers handlers);
  ~Wire();
  void open();
  void close();
  /// One at a time: the next after `written`.
  void write(std::string bytes);

 private:
  struct Attempt;
  Reactor& reactor_;
  const ClientOptions& options_;
  Handlers handlers_;
  std::shared_ptr<Attempt> attempt_;  // shared with the operations under way
};

}  // namespace gaur::redis
