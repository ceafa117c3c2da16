// Locks: renewing them, and requeueing what the previous process of a worker holds.
#include "redis_store/finish_and_take.hpp"
#include "redis_store/when_all.hpp"

namespace gaur::redis_store {
namespace {

constexpr std::size_t kLocksPerScript = 500;

Status lock_status(char letter, const JobId& id) {
  switch (letter) {
    case 'k': return ok();
    case 'n':
      return Error{Errc::kLockMissing,
                   "job " + id.value + " is not active any more: it was moved or removed"};
    case 'o': return Error{Errc::kLockMismatch, "job " + id.value + " is locked by a newer run"};
    default:
      return Error{Errc::kLockMissing,
                   "job " + id.value + ": its lock expired, or the job was requeued or removed"};
  }
}

}  // namespace

Async<ExtendReply> FinishAndTake::extend_locks(ExtendRequest request) {
  std::vector<redis::Answer<redis::Reply>> answers;
  for (std::size_t first = 0; first == 0 || first < request.held.size(); first += kLocksPerScript) {
    std::vector<std::string> arguments{request.renew ? context_->lock_ms(request.lock) : ""};
    for (std::size_t i = first; i < std::min(first + kLocksPerScript, request.held.size()); ++i) {
      arguments.push_back(request.held[i].id.value);
      arguments.push_back(request.held[i].token.value);
    }
    answers.push_back(context_->run("extend_locks", request.queue, std::move(arguments)));
  }
  Promise<Result<ExtendReply>> promise;
  auto future = promise.future();
  when_all(std::move(answers), [promise, request, memory = memory_](const Result<Replies>& replies) {
    if (!replies) return promise.set(replies.error());
    ExtendReply out;
    for (const redis::Reply& reply : *replies) {
      const auto& parts = array_of(reply);
      if (parts.size() < 2) return promise.set(malformed("extend_locks"));
      for (const char letter : text_of(parts[0])) {
        if (out.locks.size() == request.held.size()) return promise.set(malformed("extend_locks"));
        out.locks.push_back(lock_status(letter, request.held[out.locks.size()].id));
      }
      std::lock_guard lock(memory->mutex);
      out.cancels = cancels_of(parts[1], request.queue, request.worker, *memory);
    }
    promise.set(std::move(out));
  });
  return future;
}

Async<std::vector<JobId>> FinishAndTake::reclaim(ReclaimRequest request) {
  using Ids = std::vector<JobId>;
  if (request.session.empty())
    return context_->answer<Ids>(Error{Errc::kInvalidArgument, "reclaim: the session has no name"});
  return read_reply<Ids>(context_->run("reclaim", request.queue, {request.session.value}),
                         [](const redis::Reply& reply) -> Result<Ids> {
                           Ids ids;
                           for (const redis::Reply& id : array_of(reply)) ids.emplace_back(text_of(id));
                           return ids;
                         });
}

}  // namespace gaur::redis_store
