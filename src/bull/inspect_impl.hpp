#pragma once
// The parts of an Inspector that inspect.cpp and its siblings share. Thread-safety: as Inspector.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bull/inspect.hpp"
#include "redis_store/replies.hpp"

namespace gaur::bull {

using redis_store::array_of;
using redis_store::count_of;
using redis_store::integer_of;
using redis_store::Keys;
using redis_store::Replies;
using redis_store::text_of;
using redis_store::whole_number;

struct Inspector::Impl : std::enable_shared_from_this<Inspector::Impl> {
  Impl(redis::Client& the_client, std::string the_prefix, InspectLimits the_limits)
      : client(the_client), prefix(std::move(the_prefix)), limits(the_limits) {}

  /// One pipeline, see run_pipeline().
  template <class T>
  void ask(std::vector<redis::Command> commands, const Promise<Result<T>>& promise,
           std::function<void(Replies)> next) {
    redis_store::run_pipeline<T>(client, std::move(commands), promise, std::move(next));
  }

  void look_at_lists(const Promise<Result<QueueLook>>& promise, QueueLook look);
  void look_at_schedules(const Promise<Result<QueueLook>>& promise, QueueLook look);
  void look_at_jobs(const Promise<Result<QueueLook>>& promise, QueueLook look, const Replies& lists);
  void read_kept(const Promise<Result<std::vector<Sample>>>& promise, const QueueName& queue, State state,
                 std::shared_ptr<std::vector<std::string>> ids, std::shared_ptr<std::vector<Sample>> samples);

  redis::Client& client;
  const std::string prefix;
  const InspectLimits limits;
};

}  // namespace gaur::bull
