#pragma once
// Future<T> and Promise<T>: one value, delivered once, from a store or a run to the code that requested it.
// Thread-safety: internally locked; a Future is moved, never shared.
#include <condition_variable>
#include <coroutine>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "gaur/result.hpp"

namespace gaur {

template <class T>
class Promise;

template <class T>
class [[nodiscard]] Future {
 public:
  Future() = default;
  Future(Future&&) noexcept = default;
  Future& operator=(Future&&) noexcept = default;

  /// Blocks until the value arrives. Must not be called on the executor that delivers it.
  T get() && {
    std::unique_lock lock(shared_->mutex);
    shared_->arrived.wait(lock, [this] { return shared_->value.has_value(); });
    return *std::move(shared_->value);
  }

  bool ready() const {
    std::lock_guard lock(shared_->mutex);
    return shared_->value.has_value();
  }

  /// Calls `next(value)` on the thread that delivers the value (for a store: its executor), or at once on the
  /// calling thread if the value has arrived. `next` must not block or throw.
  void then(std::function<void(T)> next) && {
    std::unique_lock lock(shared_->mutex);
    if (!shared_->value) {
      shared_->next = std::move(next);
      return;
    }
    T value = *std::move(shared_->value);
    lock.unlock();
    next(std::move(value));
  }

  auto operator co_await() && {
    struct Awaiter {
      Future future;
      std::optional<T> value;
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<> handle) {
        std::move(future).then([this, handle](T arrived) {
          value.emplace(std::move(arrived));
          handle.resume();
        });
      }
      T await_resume() { return *std::move(value); }
    };
    return Awaiter{std::move(*this), {}};
  }

 private:
  friend class Promise<T>;
  struct Shared {
    std::mutex mutex;
    std::condition_variable arrived;
    std::optional<T> value;
    std::function<void(T)> next;
  };
  explicit Future(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  std::shared_ptr<Shared> shared_;
};

/// The writing end. Copyable, because std::function requires copyable callbacks. The first set() delivers the
/// value, later calls do nothing.
template <class T>
class Promise {
 public:
  Promise() : shared_(std::make_shared<typename Future<T>::Shared>()) {}
  Future<T> future() { return Future<T>(shared_); }
  void set(T value) const {
    std::unique_lock lock(shared_->mutex);
    if (shared_->value) return;
    if (shared_->next) {
      auto next = std::exchange(shared_->next, nullptr);
      lock.unlock();
      next(std::move(value));
      return;
    }
    shared_->value.emplace(std::move(value));
    shared_->arrived.notify_all();
  }

 private:
  std::shared_ptr<typename Future<T>::Shared> shared_;
};

template <class T>
Future<T> ready(T value) {
  Promise<T> promise;
  promise.set(std::move(value));
  return promise.future();
}

/// The result of every asynchronous operation of Client and Store.
template <class T>
using Async = Future<Result<T>>;

}  // namespace gaur
