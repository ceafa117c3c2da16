#include "app/host/mixture_watch.hpp"

namespace gaur::app {

void MixtureWatch::follow(const QueueName& queue) {
  loop_.post([this, queue] { look(queue); });
}

std::map<QueueName, std::string> MixtureWatch::mixed() const {
  std::lock_guard lock(mutex_);
  return mixed_;
}

void MixtureWatch::look(const QueueName& queue) {
  if (stopped_) return;
  inspector_.dialect(queue).then([this, queue](const Result<bull::Evidence>& evidence) {
    if (evidence) note(queue, bull::may_be_used_as_bull(queue, *evidence));
    loop_.post_at(clock_.now() + kEvery, [this, queue] { look(queue); });
  });
}

void MixtureWatch::note(const QueueName& queue, const Status& usable) {
  bool was_mixed = false;
  {
    std::lock_guard lock(mutex_);
    was_mixed = usable ? mixed_.erase(queue) > 0 : !mixed_.try_emplace(queue).second;
    if (!usable) mixed_[queue] = usable.error().message;
  }
  if (!usable && !was_mixed)
    log_.error("another make of client uses this queue",
               {{"queue", queue.value}, {"what", usable.error().message}});
  if (usable && was_mixed) log_.info("only Bull's clients use this queue again", {{"queue", queue.value}});
}

}  // namespace gaur::app
