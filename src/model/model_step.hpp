#pragma once
// The frame of every verb of the model, and the helpers that are templates.
// Thread-safety: a Step is on the stack of one verb.
#include "model/model_store.hpp"

namespace gaur {

/// Holds the lock. Ends expired waits when it begins, and answers the waits that the verb served when it
/// ends.
class ModelStore::Step {
 public:
  explicit Step(ModelStore& store) : store_(store), lock_(store.mutex_) { store_.end_expired_waits(); }
  ~Step() { store_.answer_waits(); }
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

template <class T, class Verb>
Async<T> ModelStore::on_job(const JobRef& ref, Verb verb) {
  Step step(*this);
  auto found = find(ref);
  if (!found) return answer<T>(found.error());
  return answer<T>(verb(state_.queues[ref.queue], **found));
}

template <class T>
Result<std::optional<T>> ModelStore::remembered_reply(const OperationId& op) const {
  const auto session = state_.sessions.find(op.session);
  if (op.sequence == 0 || session == state_.sessions.end() || op.sequence > session->second.sequence)
    return std::optional<T>();
  if (op.sequence < session->second.sequence) {
    return Error{Errc::kInvalidArgument, "session " + op.session.value + ": sequence number " +
                                             std::to_string(op.sequence) + " follows " +
                                             std::to_string(session->second.sequence)};
  }
  if (const T* reply = std::get_if<T>(&session->second.reply)) {
    if (mutation_ == model::Mutation::kRepeatExecuted) return std::optional<T>();
    return std::optional<T>(*reply);
  }
  return Error{Errc::kInvalidArgument, "session " + op.session.value + ": sequence number " +
                                           std::to_string(op.sequence) +
                                           " belongs to another kind of operation"};
}

template <class T>
void ModelStore::remember(const OperationId& op, const T& reply) {
  if (op.sequence > 0) state_.sessions[op.session] = {op.sequence, reply};
}

}  // namespace gaur
