// Gathers the facts that dialect_evidence.cpp weighs.
#include <fmt/format.h>

#include "redis/options.hpp"
#include "redis_store/dialect_evidence.hpp"
#include "redis_store/replies.hpp"

namespace gaur::redis_store {
namespace {

/// The commands whose replies read_first() reads, in that order.
std::vector<redis::Command> first_commands(const Keys& keys) {
  std::vector<redis::Command> commands{{"TYPE", keys.at("events")},
                                       {"HGET", keys.at("meta"), "version"},
                                       {"HEXISTS", keys.at("meta"), "opts.maxLenEvents"},
                                       {"ZRANGE", keys.at("repeat"), "0", "19"},
                                       {"ZREVRANGE", keys.at("completed"), "0", "3"},
                                       {"ZREVRANGE", keys.at("failed"), "0", "3"},
                                       {"LRANGE", keys.at("active"), "0", "3"},
                                       {"LRANGE", keys.at("wait"), "0", "3"},
                                       {"LRANGE", keys.at("paused"), "0", "3"},
                                       {"ZRANGE", keys.at("delayed"), "0", "3"}};
  for (const std::string& key : evidence_keys()) commands.push_back({"EXISTS", keys.at(key)});
  return commands;
}
constexpr std::size_t kRepeatMembers = 3, kFirstLists = 4, kEndLists = 10;

/// Errors: kPermission: the user may not read the queue; kCorrupt: a key has another type than both dialects
/// give it; kDisconnected.
Status check_readable(const Replies& replies, const Keys& keys, const std::string& cli) {
  const auto commands = first_commands(keys);
  for (std::size_t i = 0; i < kEndLists; ++i) {
    const auto* failure = replies[i].failure();
    if (failure == nullptr) continue;
    const Error error = error_of(*failure);
    if (error.code == Errc::kCorrupt && i >= kRepeatMembers) {
      const std::string& key = commands[i][1];
      return Error{
          Errc::kCorrupt,
          fmt::format("the key {} has another type than Bull gives it; find out who wrote it ({} TYPE "
                      "{}) and move it away: {} RENAME {} {}",
                      key, cli, redis::shell_word(key), cli, redis::shell_word(key),
                      redis::shell_word("aside:" + key))};
    }
    if (error.code == Errc::kPermission && (i == 0 || i >= kFirstLists)) return error;
    if (error.code == Errc::kDisconnected) return error;
  }
  return ok();
}

DialectFacts read_first(const Replies& replies) {
  DialectFacts facts;
  facts.events_stream = text_of(replies[0]) == "stream";
  facts.meta_version = text_of(replies[1]);
  facts.meta_max_events = integer_of(replies[2]) == 1;
  for (const auto& member : array_of(replies[3])) facts.repeat.push_back({text_of(member), false, false});
  for (std::size_t i = kFirstLists; i < kEndLists; ++i) {
    for (const auto& id : array_of(replies[i])) {
      if (facts.jobs.size() < 20) facts.jobs.push_back({text_of(id), {}, {}, {}});
    }
  }
  for (std::size_t i = 0; i < evidence_keys().size(); ++i) {
    if (integer_of(replies[kEndLists + i]) == 1) facts.keys.push_back(evidence_keys()[i]);
  }
  return facts;
}

std::vector<redis::Command> second_commands(const Keys& keys, const DialectFacts& facts) {
  std::vector<redis::Command> commands;
  for (const auto& repeat : facts.repeat) {
    commands.push_back({"HEXISTS", keys.at("repeat:" + repeat.member), "ic"});
    commands.push_back({"TYPE", keys.at("repeat:" + repeat.member)});
  }
  for (const auto& job : facts.jobs) {
    commands.push_back({"HKEYS", keys.at(job.id)});
    commands.push_back({"HGET", keys.at(job.id), "opts"});
    commands.push_back({"GET", keys.at(job.id + ":lock")});
  }
  return commands;
}

void read_second(const Replies& replies, DialectFacts& facts) {
  std::size_t at = 0;
  for (auto& repeat : facts.repeat) {
    repeat.scheduler = integer_of(replies[at++]) == 1;
    repeat.hash = text_of(replies[at++]) == "hash";
  }
  for (auto& job : facts.jobs) {
    for (const auto& field : array_of(replies[at++])) job.fields.push_back(text_of(field));
    job.options = text_of(replies[at++]);
    job.lock = text_of(replies[at++]);
  }
}

}  // namespace

Async<Evidence> read_evidence(redis::Client& client, Keys keys) {
  Promise<Result<Evidence>> promise;
  auto future = promise.future();
  run_pipeline<Evidence>(
      client, first_commands(keys), promise, [&client, keys, promise](const Replies& first) {
        if (Status readable = check_readable(first, keys, client.cli()); !readable)
          return promise.set(readable.error());
        auto facts = read_first(first);
        auto commands = second_commands(keys, facts);
        run_pipeline<Evidence>(client, std::move(commands), promise,
                               [&client, keys, promise, facts](const Replies& second) mutable {
                                 read_second(second, facts);
                                 Evidence evidence = evidence_of(facts);
                                 evidence.base = keys.base();
                                 evidence.cli = client.cli();
                                 promise.set(std::move(evidence));
                               });
      });
  return future;
}

}  // namespace gaur::redis_store
