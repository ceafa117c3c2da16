#include "redis_store/queue_scan.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <set>

#include "gaur/job.hpp"
#include "redis_store/replies.hpp"

namespace gaur::redis_store {

namespace {

constexpr std::array<std::string_view, 8> kContents{"wait",   "active",    "paused", "delayed",
                                                    "failed", "completed", "repeat", "prioritized"};

/// One scan of all keys and a check of the candidates. Replies under way keep it alive.
struct Walk : std::enable_shared_from_this<Walk> {
  Walk(redis::Client& the_client, std::string the_pattern, QueueScanLimits the_limits)
      : client(the_client), pattern(std::move(the_pattern)), limits(the_limits) {}

  void step(const std::string& cursor) {
    client.call({"SCAN", cursor, "MATCH", pattern, "COUNT", "1000"})
        .then([self = shared_from_this()](Result<redis::Reply> reply) { self->read(std::move(reply)); });
  }

  void read(Result<redis::Reply> reply) {
    if (!reply) return promise.set(reply.error());
    const auto* parts = reply->array();
    if (parts == nullptr || parts->size() != 2 || (*parts)[0].text() == nullptr ||
        (*parts)[1].array() == nullptr) {
      const auto* failure = reply->failure();
      return promise.set(Error{failure == nullptr ? Errc::kCorrupt : Errc::kPermission,
                               failure == nullptr
                                   ? "redis: the reply of SCAN does not have the expected shape"
                                   : "redis: SCAN: " + failure->text});
    }
    for (const redis::Reply& key : *(*parts)[1].array()) {
      if (const std::string* text = key.text()) note(*text);
    }
    const std::string cursor = *(*parts)[0].text();
    const bool limited = ++steps >= limits.steps || candidates.size() >= kCandidates;
    if (cursor != "0" && !limited) return step(cursor);
    complete = cursor == "0";
    verify();
  }

  void note(std::string_view key) {
    const auto colon = key.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return;
    const std::string_view last = key.substr(colon + 1);
    if (last != "id" && last != "meta" && last != "meta-paused") return;
    candidates.emplace(key.substr(0, colon + 1));
  }

  /// Checks a hundred candidates at a time: the types of the keys, and whether the queue has lists.
  void verify() {
    std::vector<redis::Command> commands;
    for (const std::string& base : candidates) {
      if (asked.size() == 100) break;
      asked.push_back(base);
      commands.push_back({"TYPE", base + "id"});
      commands.push_back({"TYPE", base + "meta-paused"});
      commands.push_back({"TYPE", base + "meta"});
      commands.push_back({"HEXISTS", base + "meta", "data"});
      redis::Command contents{"EXISTS"};
      for (const std::string_view name : kContents) contents.push_back(base + std::string(name));
      commands.push_back(std::move(contents));
    }
    if (asked.empty()) return promise.set(std::move(found));
    client.pipeline(std::move(commands))
        .then([self = shared_from_this()](Result<std::vector<redis::Reply>> replies) {
          if (!replies) return self->promise.set(replies.error());
          self->read_checks(*replies);
        });
  }

  void read_checks(const std::vector<redis::Reply>& replies) {
    constexpr std::size_t kEach = 5;
    for (std::size_t i = 0; i < asked.size() && (i + 1) * kEach <= replies.size(); ++i) {
      const auto* at = &replies[i * kEach];
      const bool counter = text_of(at[0]) == "string";
      const bool pause_mark = text_of(at[1]) == "string";
      const bool meta = text_of(at[2]) == "hash" &&
                        integer_of(at[3]) != 1;  // otherwise a job with an id that ends in :meta
      const bool contents = integer_of(at[4]) > 0;
      if (is_queue(asked[i], counter, pause_mark || meta, contents)) found.insert(asked[i]);
      candidates.erase(asked[i]);
    }
    asked.clear();
    verify();
  }

  /// Deduplication and limiters write texts to `<queue>:de:<id>` and `<queue>:limiter:<group>`.
  static bool is_queue(std::string_view base, bool counter, bool marked, bool contents) {
    const bool of_another = base.ends_with(":de:") || base.ends_with(":limiter:") ||
                            base.find(":de:") != std::string_view::npos ||
                            base.find(":limiter:") != std::string_view::npos;
    if (of_another) return contents && (counter || marked);
    return counter || marked;
  }

  static constexpr std::size_t kCandidates = 20'000;
  redis::Client& client;
  const std::string pattern;
  const QueueScanLimits limits;
  Promise<Result<std::set<std::string>>> promise;
  /// Keys up to and including their last colon.
  std::set<std::string> candidates;
  /// Candidates of the pipeline under way.
  std::vector<std::string> asked;
  /// "prefix:queue:".
  std::set<std::string> found;
  std::uint32_t steps = 0;
  bool complete = true;
};

QueuesFound queues_under(const std::string& base, const Walk& walk, const std::set<std::string>& found) {
  QueuesFound queues{.complete = walk.complete};
  for (const std::string& key : found) {
    if (!key.starts_with(base)) continue;
    std::string name = key.substr(base.size());
    if (!name.empty()) name.pop_back();
    if (name.empty() || name.front() == ':') continue;
    if (!validate_queue_name(name)) {
      if (queues.unusable.size() < 100) queues.unusable.push_back(std::move(name));
    } else if (queues.queues.size() < walk.limits.queues) {
      queues.queues.emplace_back(std::move(name));
    } else {
      queues.complete = false;
    }
  }
  std::ranges::sort(queues.queues);
  return queues;
}

PrefixesFound prefixes_of(const Walk& walk, const std::set<std::string>& found) {
  std::map<std::string, std::vector<std::string>> by_prefix;  // shorter ones come first
  for (const std::string& key : found) {
    const std::string path = key.substr(0, key.size() - 1);
    const auto colon = path.rfind(':');
    if (colon == std::string::npos || colon == 0 || path.starts_with("gaur:")) continue;
    std::string prefix = path.substr(0, colon);
    for (auto cut = path.find(':'); cut != std::string::npos && cut < colon; cut = path.find(':', cut + 1)) {
      if (cut + 1 < path.size() && path[cut + 1] != ':' && by_prefix.contains(path.substr(0, cut))) {
        prefix = path.substr(0, cut);
        break;
      }
    }
    by_prefix[prefix].push_back(path.substr(prefix.size() + 1));
  }
  PrefixesFound prefixes{.complete = walk.complete};
  for (auto& [prefix, queues] : by_prefix) {
    if (queues.size() > walk.limits.queues) queues.resize(walk.limits.queues);
    prefixes.prefixes.push_back({prefix, std::move(queues)});
  }
  return prefixes;
}

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
  const std::string base = std::move(prefix) + ":";
  // The three keys begin with these letters; MATCH has no alternatives.
  const auto walk = std::make_shared<Walk>(client, escape_glob(base) + "*:[im]*", limits);
  Promise<Result<QueuesFound>> promise;
  auto future = promise.future();
  walk->promise.future().then([walk, base, promise](Result<std::set<std::string>> found) {
    if (!found) return promise.set(found.error());
    promise.set(queues_under(base, *walk, *found));
  });
  walk->step("0");
  return future;
}

Async<PrefixesFound> find_prefixes(redis::Client& client, QueueScanLimits limits) {
  const auto walk = std::make_shared<Walk>(client, "*:[im]*", limits);
  Promise<Result<PrefixesFound>> promise;
  auto future = promise.future();
  walk->promise.future().then([walk, promise](Result<std::set<std::string>> found) {
    if (!found) return promise.set(found.error());
    promise.set(prefixes_of(*walk, *found));
  });
  walk->step("0");
  return future;
}

}  // namespace gaur::redis_store
