#include "bull/inspect.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bull/inspect_impl.hpp"

namespace gaur::bull {

Inspector::Inspector(redis::Client& client, std::string prefix, InspectLimits limits)
    : impl_(std::make_shared<Impl>(client, std::move(prefix), limits)) {}
Inspector::~Inspector() = default;

Async<ServerFacts> Inspector::server() {
  return redis_store::read_server_facts(impl_->client);
}

namespace {
/// "<ms> <list or set> <reason>", as shared/set_aside.lua writes it.
SetAside read_set_aside(std::string id, std::string_view note) {
  constexpr std::size_t kShown = 256;
  if (id.size() > kShown) id = fmt::format("{}... ({} bytes)", id.substr(0, kShown), id.size());
  note.remove_prefix(std::min(note.find(' ') + 1, note.size()));
  const auto space = std::min(note.find(' '), note.size());
  const std::string_view reason = note.substr(std::min(space + 1, note.size()));
  SetAside one{.id = std::move(id), .from = std::string(note.substr(0, space))};
  if (reason == "none" || reason == "hash")
    one.why = "it has no hash";
  else if (reason == "reserved")
    one.why = "it is the name of one of the queue's keys";
  else if (reason.ends_with(" bytes"))
    one.why = fmt::format("its hash has {}, at most 64 MiB can be taken", reason);
  else
    one.why = fmt::format("its key is a {}, not a hash", reason);
  return one;
}

std::uint32_t scan_steps(const InspectLimits& limits) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(limits.scanned_keys / 1000, 1'000'000)) + 1;
}
}  // namespace

Async<Inspector::Found> Inspector::queues() {
  return redis_store::find_queues(impl_->client, impl_->prefix,
                                  {.steps = scan_steps(impl_->limits), .queues = impl_->limits.queues});
}

Async<PrefixesFound> Inspector::prefixes() {
  constexpr std::size_t kQueuesEach = 5;
  return redis_store::find_prefixes(impl_->client,
                                    {.steps = scan_steps(impl_->limits), .queues = kQueuesEach});
}

Async<std::vector<SetAside>> Inspector::set_aside(QueueName queue) {
  using SetAsideJobs = std::vector<SetAside>;
  Promise<Result<SetAsideJobs>> promise;
  auto future = promise.future();
  const Keys keys(impl_->prefix, queue);
  impl_->ask<SetAsideJobs>({{"HSCAN", keys.own() + "set_aside", "0", "COUNT", "1000"}}, promise,
                           [promise](const Replies& replies) {
                             SetAsideJobs found;
                             const auto& parts = array_of(replies[0]);
                             const auto& fields = parts.size() == 2 ? array_of(parts[1]) : parts;
                             for (std::size_t i = 0; parts.size() == 2 && i + 1 < fields.size(); i += 2)
                               found.push_back(read_set_aside(text_of(fields[i]), text_of(fields[i + 1])));
                             promise.set(std::move(found));
                           });
  return future;
}

Async<Evidence> Inspector::dialect(QueueName queue) {
  return redis_store::read_evidence(impl_->client, redis_store::Keys(impl_->prefix, queue));
}

Async<QueueLook> Inspector::look(QueueName queue) {
  Promise<Result<QueueLook>> promise;
  auto future = promise.future();
  dialect(queue).then([impl = impl_, promise, queue](Result<Evidence> evidence) {
    if (!evidence) return promise.set(evidence.error());
    impl->look_at_lists(promise, QueueLook{.queue = queue, .evidence = *std::move(evidence)});
  });
  return future;
}

}  // namespace gaur::bull
