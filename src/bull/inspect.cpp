#include "bull/inspect.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include "bull/job_codec.hpp"
#include "bull/keys.hpp"
#include "bull/queue_scan.hpp"
#include "bull/repeat.hpp"
#include "bull/shared.hpp"
#include "redis/options.hpp"

namespace gaur::bull {

namespace {

using Replies = std::vector<redis::Reply>;

constexpr std::size_t kJobsAtATime = 50;

std::uint64_t count_of(const redis::Reply& reply) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(integer_of(reply), 0));
}

std::optional<Time> time_of(const redis::Reply& reply) {
  const std::string text = text_of(reply);
  if (text.empty()) return std::nullopt;
  return from_ms(whole_number(text));
}

std::string base64(std::string_view text) {
  std::string encoded(4 * ((text.size() + 2) / 3) + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  encoded.resize(static_cast<std::size_t>(size));
  return encoded;
}

/// "addr=127.0.0.1:4711": the value of a field of a line of CLIENT LIST.
std::string_view field_of(std::string_view line, std::string_view name) {
  for (std::size_t at = 0; at < line.size();) {
    const auto end = std::min(line.find(' ', at), line.size());
    const std::string_view pair = line.substr(at, end - at);
    if (pair.starts_with(name) && pair.size() > name.size() && pair[name.size()] == '=')
      return pair.substr(name.size() + 1);
    at = end + 1;
  }
  return {};
}

std::uint64_t number_in(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::vector<WorkerSeen> workers_of(std::string_view clients, std::string_view name) {
  std::vector<WorkerSeen> found;
  while (!clients.empty()) {
    const auto end = std::min(clients.find('\n'), clients.size());
    const std::string_view line = clients.substr(0, end);
    clients.remove_prefix(std::min(end + 1, clients.size()));
    // Bull compares the begin alone; but "YWJj" (abc) begins "YWJjZGVm" (abcdef) as well.
    const std::string_view shown = field_of(line, "name");
    if (!shown.starts_with(name)) continue;
    if (shown.size() > name.size() &&
        (std::isalnum(static_cast<unsigned char>(shown[name.size()])) != 0 ||
         std::string_view("+/=").find(shown[name.size()]) != std::string_view::npos))
      continue;
    found.push_back({std::string(field_of(line, "addr")), std::string(field_of(line, "cmd")),
                     number_in(field_of(line, "age")), number_in(field_of(line, "idle"))});
  }
  return found;
}

/// The commands whose answers read_first() reads, in that order.
std::vector<redis::Command> first_questions(const Keys& keys) {
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
  for (const std::string& key : telling_keys()) commands.push_back({"EXISTS", keys.at(key)});
  return commands;
}
constexpr std::size_t kRepeatMembers = 3, kFirstLists = 4, kEndLists = 10;

/// Errors: kPermission, the user may not read the queue; kCorrupt, a key has a type that Bull does not give
/// it; kDisconnected.
Status readable(const Replies& replies, const Keys& keys, const std::string& cli) {
  const auto questions = first_questions(keys);
  for (std::size_t i = 0; i < kEndLists; ++i) {
    const auto* failure = replies[i].failure();
    if (failure == nullptr) continue;
    const Error error = error_of(*failure);
    if (error.code == Errc::kCorrupt && i >= kRepeatMembers) {
      const std::string& key = questions[i][1];
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
  for (std::size_t i = 0; i < telling_keys().size(); ++i) {
    if (integer_of(replies[kEndLists + i]) == 1) facts.keys.push_back(telling_keys()[i]);
  }
  return facts;
}

std::vector<redis::Command> second_questions(const Keys& keys, const DialectFacts& facts) {
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

std::string worker_connection_name(std::string_view prefix, const QueueName& queue) {
  return std::string(prefix) + ":" + base64(queue.value);
}

struct Inspector::Impl : std::enable_shared_from_this<Inspector::Impl> {
  Impl(redis::Client& the_client, std::string the_prefix, InspectLimits the_limits)
      : client(the_client), prefix(std::move(the_prefix)), limits(the_limits) {}

  /// One pipeline; `next` gets as many replies as there are commands, or `promise` the error.
  template <class T>
  void ask(std::vector<redis::Command> commands, const Promise<Result<T>>& promise,
           std::function<void(Replies)> next) {
    const std::size_t expected = commands.size();
    if (expected == 0) return next({});
    client.pipeline(std::move(commands))
        .then([promise, next = std::move(next), expected](Result<Replies> replies) {
          if (!replies) return promise.set(replies.error());
          if (replies->size() != expected)
            return promise.set(Error{Errc::kCorrupt, "redis: answers are missing"});
          next(*std::move(replies));
        });
  }

  Async<Evidence> dialect(const QueueName& queue) {
    Promise<Result<Evidence>> promise;
    auto future = promise.future();
    ask(first_questions(Keys(prefix, queue)), promise,
        [self = shared_from_this(), promise, queue](const Replies& first) {
          if (Status usable = readable(first, Keys(self->prefix, queue), self->client.cli()); !usable)
            return promise.set(usable.error());
          auto facts = read_first(first);
          auto questions = second_questions(Keys(self->prefix, queue), facts);
          self->ask(std::move(questions), promise,
                    [self, promise, queue, facts](const Replies& second) mutable {
                      read_second(second, facts);
                      Evidence evidence = weigh(facts);
                      evidence.base = Keys(self->prefix, queue).base();
                      evidence.cli = self->client.cli();
                      promise.set(std::move(evidence));
                    });
        });
    return future;
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

namespace {
/// The answers of look_at_lists(), by place.
enum Asked : std::size_t {
  kTime,
  kWait,
  kPausedList,
  kPriority,
  kDelayed,
  kActive,
  kCompleted,
  kFailed,
  kIsPaused,
  kStalledCheck,
  kRepeat,
  kActiveIds,
  kFirstDelayed,
};

Time server_time(const redis::Reply& reply) {
  const auto& parts = array_of(reply);
  if (parts.size() != 2) return {};
  return from_ms(integer_of(parts[0]) * 1000 + integer_of(parts[1]) / 1000);
}

Counts counts_of(const Replies& lists) {
  Counts counts;
  const std::uint64_t ready = count_of(lists[kWait]) + count_of(lists[kPausedList]);
  counts[State::kPrioritized] = std::min(ready, count_of(lists[kPriority]));
  counts[State::kWaiting] = ready - counts[State::kPrioritized];
  counts[State::kDelayed] = count_of(lists[kDelayed]);
  counts[State::kActive] = count_of(lists[kActive]);
  counts[State::kCompleted] = count_of(lists[kCompleted]);
  counts[State::kFailed] = count_of(lists[kFailed]);
  counts.paused = integer_of(lists[kIsPaused]) == 1;
  return counts;
}
}  // namespace

void Inspector::Impl::look_at_lists(const Promise<Result<QueueLook>>& promise, QueueLook look) {
  const Keys keys(prefix, look.queue);
  std::vector<redis::Command> commands{{"TIME"},
                                       {"LLEN", keys.at("wait")},
                                       {"LLEN", keys.at("paused")},
                                       {"ZCARD", keys.at("priority")},
                                       {"ZCARD", keys.at("delayed")},
                                       {"LLEN", keys.at("active")},
                                       {"ZCARD", keys.at("completed")},
                                       {"ZCARD", keys.at("failed")},
                                       {"EXISTS", keys.at("meta-paused")},
                                       {"EXISTS", keys.at("stalled-check")},
                                       {"ZCARD", keys.at("repeat")},
                                       {"LRANGE", keys.at("active"), fmt::format("-{}", limits.active), "-1"},
                                       {"ZRANGE", keys.at("delayed"), "0", "0", "WITHSCORES"}};
  ask(std::move(commands), promise,
      [self = shared_from_this(), promise, look = std::move(look)](const Replies& lists) mutable {
        self->look_at_jobs(promise, std::move(look), lists);
      });
}

void Inspector::Impl::look_at_jobs(const Promise<Result<QueueLook>>& promise, QueueLook look,
                                   const Replies& lists) {
  const Keys keys(prefix, look.queue);
  look.now = server_time(lists[kTime]);
  look.counts = counts_of(lists);
  look.repeatable = count_of(lists[kRepeat]);
  look.stalled_check_runs = integer_of(lists[kStalledCheck]) == 1;
  if (const auto& first = array_of(lists[kFirstDelayed]); first.size() == 2)
    look.next_due = from_ms(whole_number(text_of(first[1])) / 4096);

  auto active = array_of(lists[kActiveIds]);
  std::reverse(active.begin(), active.end());  // the tail was taken first
  look.active_seen = active.size();
  const std::string late = fmt::format("{}", (to_ms(look.now) - kOverdueAfter.count()) * 4096);
  const std::string line = keys.at(count_of(lists[kWait]) > 0 ? "wait" : "paused");
  std::vector<redis::Command> commands{
      {"LINDEX", line, fmt::format("-{}", look.counts[State::kPrioritized] + 1)},
      {"LINDEX", line, "-1"},
      {"ZCOUNT", keys.at("delayed"), "-inf", late},
      {"ZRANGEBYSCORE", keys.at("delayed"), "-inf", late, "WITHSCORES", "LIMIT", "0",
       std::to_string(limits.delayed)},
      {"CLIENT", "LIST"}};
  for (const auto& id : active) {
    commands.push_back({"EXISTS", keys.at(text_of(id) + ":lock")});
    commands.push_back({"HMGET", keys.at(text_of(id)), "name", "processedOn", "stalledCounter"});
  }
  ask(std::move(commands), promise,
      [self = shared_from_this(), promise, keys, look = std::move(look),
       active](const Replies& jobs) mutable {
        const std::string without_priority = text_of(jobs[0]);
        const std::string oldest = without_priority.empty() ? text_of(jobs[1]) : without_priority;
        if (!oldest.empty()) look.oldest_waiting = JobId(oldest);
        look.overdue_total = count_of(jobs[2]);
        const auto& overdue = array_of(jobs[3]);
        for (std::size_t i = 0; i + 1 < overdue.size(); i += 2)
          look.overdue.push_back(
              {JobId(text_of(overdue[i])), from_ms(whole_number(text_of(overdue[i + 1])) / 4096)});
        look.workers = workers_of(text_of(jobs[4]), worker_connection_name(self->prefix, look.queue));
        for (std::size_t i = 0; i < active.size(); ++i) {
          if (integer_of(jobs[5 + 2 * i]) == 1) continue;
          const auto& fields = array_of(jobs[6 + 2 * i]);
          if (fields.size() != 3) continue;
          UnlockedActive lost{.id = JobId(text_of(active[i])), .name = text_of(fields[0])};
          lost.started = time_of(fields[1]);
          if (lost.started) lost.age = look.now - *lost.started;
          lost.stalled = static_cast<std::uint32_t>(count_of(fields[2]));
          look.unlocked.push_back(std::move(lost));
        }
        if (!look.oldest_waiting) return self->look_at_schedules(promise, std::move(look));
        std::vector<redis::Command> last{{"HGET", keys.job(*look.oldest_waiting), "timestamp"}};
        self->ask(std::move(last), promise,
                  [self, promise, look = std::move(look)](const Replies& since) mutable {
                    look.oldest_waiting_since = time_of(since[0]);
                    self->look_at_schedules(promise, std::move(look));
                  });
      });
}

/// Tries what whoever takes the next run of a schedule will compute.
void Inspector::Impl::look_at_schedules(const Promise<Result<QueueLook>>& promise, QueueLook look) {
  if (look.repeatable == 0) return promise.set(std::move(look));
  const Keys keys(prefix, look.queue);
  std::vector<redis::Command> commands{{"ZRANGE", keys.at("repeat"), "0", "99", "WITHSCORES"}};
  ask(std::move(commands), promise,
      [self = shared_from_this(), promise, keys, look = std::move(look)](const Replies& found) mutable {
        const auto& members = array_of(found[0]);
        std::vector<std::string> names;
        std::vector<redis::Command> runs;
        for (std::size_t i = 0; i + 1 < members.size(); i += 2) {
          const std::string key = text_of(members[i]);
          const auto parts = parse_repeat_key(key);
          if (!parts) continue;
          const std::string run = fmt::format("repeat:{}:{}", repeat_hash(parts->name, parts->job_id, key),
                                              text_of(members[i + 1]));
          names.push_back(key);
          runs.push_back({"HGET", keys.at(run), "opts"});
        }
        if (runs.empty()) return promise.set(std::move(look));
        self->ask(std::move(runs), promise,
                  [promise, names, look = std::move(look)](const Replies& options) mutable {
                    for (std::size_t i = 0; i < names.size(); ++i) {
                      if (options[i].text() == nullptr) continue;  // its run was taken a moment ago
                      if (auto why = unreadable_schedule(*options[i].text(), look.now))
                        look.unreadable.push_back({names[i], *std::move(why)});
                    }
                    promise.set(std::move(look));
                  });
      });
}

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
        for (std::size_t i = part.size(); i-- > 0;) {  // `ids` was turned round: its end is the newest
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

Inspector::Inspector(redis::Client& client, std::string prefix, InspectLimits limits)
    : impl_(std::make_shared<Impl>(client, std::move(prefix), limits)) {}
Inspector::~Inspector() = default;

Async<ServerFacts> Inspector::server() {
  return ask_server(impl_->client);
}

namespace {
std::uint32_t scan_steps(const InspectLimits& limits) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(limits.scanned_keys / 1000, 1'000'000)) + 1;
}
}  // namespace

Async<Inspector::Found> Inspector::queues() {
  return find_queues(impl_->client, impl_->prefix,
                     {.steps = scan_steps(impl_->limits), .queues = impl_->limits.queues});
}

Async<PrefixesFound> Inspector::prefixes() {
  constexpr std::size_t kQueuesEach = 5;
  return find_prefixes(impl_->client, {.steps = scan_steps(impl_->limits), .queues = kQueuesEach});
}

Async<Evidence> Inspector::dialect(QueueName queue) {
  return impl_->dialect(queue);
}

Async<QueueLook> Inspector::look(QueueName queue) {
  Promise<Result<QueueLook>> promise;
  auto future = promise.future();
  impl_->dialect(queue).then([impl = impl_, promise, queue](Result<Evidence> evidence) {
    if (!evidence) return promise.set(evidence.error());
    impl->look_at_lists(promise, QueueLook{.queue = queue, .evidence = *std::move(evidence)});
  });
  return future;
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
               // A list is handed out from its end.
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
