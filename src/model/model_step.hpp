#pragma once
// One verb of the model: takes the lock, does its work, then answers whoever waits for what it changed.
// Thread-safety: lives on the stack of one verb.
#include "model/model_store.hpp"

namespace gaur {

class ModelStore::Step {
 public:
  explicit Step(ModelStore& store) : store_(store), lock_(store.mutex_) { store_.end_waits_that_are_over(); }
  ~Step() { store_.serve_waits(); }
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;

 private:
  ModelStore& store_;
  std::lock_guard<std::mutex> lock_;
};

template <class T>
void ModelStore::deliver(const Promise<Result<T>>& promise, Result<T> value) {
  executor_.post([promise, value = std::move(value)] { promise.set(value); });
}

template <class T>
Async<T> ModelStore::answer(Result<T> value) {
  Promise<Result<T>> promise;
  auto future = promise.future();
  deliver(promise, std::move(value));
  return future;
}

/// The first answer to an operation that was sent before, or nothing if it is new.
template <class T>
Result<std::optional<T>> ModelStore::earlier_reply(const OperationId& op) const {
  const auto session = world_.sessions.find(op.session);
  if (op.sequence == 0 || session == world_.sessions.end() || op.sequence > session->second.number)
    return std::optional<T>();
  if (op.sequence < session->second.number) {
    return Error{Errc::kInvalidArgument, "lane " + op.session.value + ": operation number went back from " +
                                             std::to_string(session->second.number) + " to " +
                                             std::to_string(op.sequence)};
  }
  if (const T* reply = std::get_if<T>(&session->second.reply)) {
    if (mutation_ == model::Mutation::kResendTwice) return std::optional<T>();
    return std::optional<T>(*reply);
  }
  return Error{Errc::kInvalidArgument,
               "lane " + op.session.value + ": this number was another kind of operation"};
}

template <class T>
void ModelStore::remember(const OperationId& op, const T& reply) {
  if (op.sequence > 0) world_.sessions[op.session] = {op.sequence, reply};
}

}  // namespace gaur
