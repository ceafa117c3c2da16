#include "bull/queue_scan.hpp"

#include <memory>
#include <set>

#include "gaur/job.hpp"

namespace gaur::bull {

namespace {

/// One walk; it owns itself through the answers that are on their way.
struct Walk : std::enable_shared_from_this<Walk> {
  Walk(redis::Client& the_client, std::string prefix, QueueScanLimits the_limits)
      : client(the_client), base(std::move(prefix) + ":"), limits(the_limits) {}

  void step(const std::string& cursor) {
    // Every queue has a counter of ids, a paused one its mark. Both begin with these letters.
    client.call({"SCAN", cursor, "MATCH", escape_glob(base) + "*:[im]*", "COUNT", "1000"})
        .then([self = shared_from_this()](Result<redis::Reply> reply) { self->read(std::move(reply)); });
  }

  void read(Result<redis::Reply> reply) {
    if (!reply) return promise.set(reply.error());
    const auto* parts = reply->array();
    if (parts == nullptr || parts->size() != 2 || (*parts)[0].text() == nullptr ||
        (*parts)[1].array() == nullptr) {
      const auto* failure = reply->failure();
      return promise.set(Error{failure == nullptr ? Errc::kCorrupt : Errc::kPermission,
                               failure == nullptr ? "redis: SCAN was answered in another shape"
                                                  : "redis: SCAN: " + failure->text});
    }
    for (const redis::Reply& key : *(*parts)[1].array()) {
      if (const std::string* text = key.text()) look_at(*text);
    }
    const std::string cursor = *(*parts)[0].text();
    const bool limited = ++steps >= limits.steps || names.size() >= limits.queues;
    if (cursor != "0" && !limited) return step(cursor);
    QueuesFound found{.complete = cursor == "0"};
    for (const std::string& name : names) {
      if (found.queues.size() < limits.queues) found.queues.emplace_back(name);
    }
    promise.set(std::move(found));
  }

  void look_at(std::string_view key) {
    if (!key.starts_with(base)) return;
    key.remove_prefix(base.size());
    const auto colon = key.rfind(':');
    if (colon == std::string_view::npos) return;
    const std::string_view last = key.substr(colon + 1);
    const std::string_view name = key.substr(0, colon);
    if ((last == "id" || last == "meta" || last == "meta-paused") && validate_queue_name(name))
      names.emplace(name);
  }

  redis::Client& client;
  const std::string base;
  const QueueScanLimits limits;
  Promise<Result<QueuesFound>> promise;
  std::set<std::string> names;
  std::uint32_t steps = 0;
};

}  // namespace

std::string escape_glob(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '*' || c == '?' || c == '[' || c == ']' || c == '\\' || c == '^') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

Async<QueuesFound> find_queues(redis::Client& client, std::string prefix, QueueScanLimits limits) {
  const auto walk = std::make_shared<Walk>(client, std::move(prefix), limits);
  auto future = walk->promise.future();
  walk->step("0");
  return future;
}

}  // namespace gaur::bull
