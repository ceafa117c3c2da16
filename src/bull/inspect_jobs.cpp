// Samples of jobs: kept ones and waiting ones.
#include <algorithm>

#include "bull/inspect_impl.hpp"
#include "bull/job_codec.hpp"
#include "core/result_json.hpp"

namespace gaur::bull {

namespace {
constexpr std::size_t kJobsAtATime = 50;
}  // namespace

void Inspector::Impl::read_kept(const Promise<Result<std::vector<Sample>>>& promise, const QueueName& queue,
                                State state, std::shared_ptr<std::vector<std::string>> ids,
                                std::shared_ptr<std::vector<Sample>> samples) {
  const Keys keys(prefix, queue);
  const std::size_t from = ids->size() - std::min(kJobsAtATime, ids->size());
  if (ids->empty()) return promise.set(std::move(*samples));
  const std::vector<std::string> part(ids->begin() + static_cast<std::ptrdiff_t>(from), ids->end());
  ids->resize(from);
  std::vector<redis::Command> commands;
  for (const std::string& id : part) commands.push_back({"HGETALL", keys.at(id)});
  ask(std::move(commands), promise,
      [self = shared_from_this(), promise, queue, state, ids, samples, part](const Replies& hashes) {
        for (std::size_t i = part.size(); i-- > 0;) {  // the newest is at the end of `ids`
          const auto& fields = array_of(hashes[i]);
          if (fields.empty()) continue;
          Sample sample{.job = job_from_hash(queue, JobId(part[i]), fields, {.state = state})};
          sample.data_bytes = sample.job.data.size();
          sample.result_bytes = result_json(sample.job).size();
          samples->push_back(std::move(sample));
        }
        self->read_kept(promise, queue, state, ids, samples);
      });
}

Async<std::vector<Inspector::Sample>> Inspector::kept(QueueName queue, State state, std::uint32_t limit) {
  Promise<Result<std::vector<Sample>>> promise;
  auto future = promise.future();
  const std::uint32_t most = std::min(limit, impl_->limits.samples);
  if ((state != State::kCompleted && state != State::kFailed) || most == 0) {
    promise.set(std::vector<Sample>{});
    return future;
  }
  const Keys keys(impl_->prefix, queue);
  impl_->ask({{"ZREVRANGE", keys.at(to_string(state)), "0", std::to_string(most - 1)}}, promise,
             [impl = impl_, promise, queue, state](const Replies& reply) {
               const auto ids = std::make_shared<std::vector<std::string>>();
               for (const auto& id : array_of(reply[0])) ids->push_back(text_of(id));
               std::reverse(ids->begin(), ids->end());  // taken from the end
               impl->read_kept(promise, queue, state, ids, std::make_shared<std::vector<Sample>>());
             });
  return future;
}

Async<std::vector<Inspector::Sample>> Inspector::waiting(QueueName queue, std::uint32_t limit) {
  Promise<Result<std::vector<Sample>>> promise;
  auto future = promise.future();
  const std::uint32_t most = std::min(limit, impl_->limits.samples);
  if (most == 0) {
    promise.set(std::vector<Sample>{});
    return future;
  }
  const Keys keys(impl_->prefix, queue);
  const std::uint32_t newest = most / 2;
  const std::string from = std::to_string(-static_cast<std::int64_t>(most));
  const std::string to = std::to_string(static_cast<std::int64_t>(newest) - 1);
  const bool two_ends = newest > 0;
  std::vector<redis::Command> commands{{"ZRANGE", keys.at("delayed"), "0", std::to_string(most - 1)}};
  for (const char* list : {"wait", "paused"}) {  // one is empty, but for a moment
    commands.push_back({"LLEN", keys.at(list)});
    commands.push_back({"LRANGE", keys.at(list), from, "-1"});
    commands.push_back({"LRANGE", keys.at(list), "0", two_ends ? to : "0"});
  }
  impl_->ask(std::move(commands), promise,
             [impl = impl_, promise, queue, most, newest](const Replies& reply) {
               const auto delayed = std::make_shared<std::vector<std::string>>();
               for (const auto& id : array_of(reply[0])) delayed->push_back(text_of(id));
               std::reverse(delayed->begin(), delayed->end());  // taken from the end
               // The next job is at the end of a list.
               const auto ids = std::make_shared<std::vector<std::string>>();
               for (const std::size_t list : {std::size_t{4}, std::size_t{1}}) {
                 const auto& next = array_of(reply[list + 1]);
                 const bool longer = count_of(reply[list]) > most && newest > 0;
                 if (longer) {
                   for (const auto& id : array_of(reply[list + 2])) ids->push_back(text_of(id));
                 }
                 for (std::size_t k = longer ? newest : 0; k < next.size(); ++k)
                   ids->push_back(text_of(next[k]));
               }
               if (ids->size() > most) ids->erase(ids->begin(), ids->end() - most);
               Promise<Result<std::vector<Sample>>> ready;
               ready.future().then([impl, promise, queue, delayed](Result<std::vector<Sample>> samples) {
                 if (!samples) return promise.set(samples.error());
                 impl->read_kept(promise, queue, State::kDelayed, delayed,
                                 std::make_shared<std::vector<Sample>>(*std::move(samples)));
               });
               impl->read_kept(ready, queue, State::kWaiting, ids, std::make_shared<std::vector<Sample>>());
             });
  return future;
}

}  // namespace gaur::bull
