#pragma once
// One Redis dialect as one value: key layout, job codec, scripts, capabilities, semantics, and where events
// and wake-ups come from. The verbs of this folder work with any such value; src/bull makes the one of
// Bull 4. Thread-safety: immutable after construction; the two sources are called from any thread.
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/capabilities.hpp"
#include "core/semantics.hpp"
#include "core/store.hpp"
#include "redis/client.hpp"
#include "redis_store/dialect_evidence.hpp"
#include "redis_store/keys.hpp"
#include "redis_store/scripts.hpp"

namespace gaur::redis_store {

struct StoreContext;

/// What is known of a job besides its hash.
struct JobPlacement {
  State state = State::kWaiting;
  /// Its field in Gaur's own hash `uncounted_starts`.
  std::uint64_t uncounted_starts = 0;
  /// Of a delayed job: decoded from its score.
  std::optional<Time> due{};
};

/// A job as the dialect stores it. Pure functions. A job that another client wrote must never fail a verb: a
/// field that cannot be read keeps its default.
struct JobCodec {
  /// One JSON object on one line. Without `timestamp` unless one is given: the script adds it.
  std::string (*options_to_json)(const JobOptions& options);
  JobOptions (*options_from_json)(std::string_view text);
  /// `fields` is HGETALL's reply: field, value, field, value ...
  Job (*job_from_hash)(const QueueName& queue, const JobId& id, const redis::Reply::Array& fields,
                       const JobPlacement& placement);
  /// What the script publishes when a job completes (`value` is its result as JSON) or fails (the message).
  std::string (*finish_payload)(const JobId& id, std::string_view value);
  /// What the script publishes when a job reports progress.
  std::string (*progress_payload)(const JobId& id, std::string_view progress);
};

/// Names below a queue's base, as far as verbs use them outside scripts.
struct KeyLayout {
  enum class Kind : std::uint8_t { kList, kSortedSet };
  struct Structure {
    std::string_view name;
    Kind kind = Kind::kList;
  };
  /// Structures whose jobs may be taken now.
  std::vector<Structure> waiting{};
  /// Whether a job of this id would share its key with the queue, or with another job's lock or logs.
  bool (*is_reserved_id)(std::string_view id) = nullptr;
};

/// Held for as long as a source shall report. No call comes after its destructor returned on the client's
/// thread.
using Watch = redis::Subscription;

/// Delivers the events of a queue: messages of channels, or entries of a stream.
class EventSource {
 public:
  virtual ~EventSource() = default;
  struct Listener {
    /// `at` may be left at its default; the feed then sets the time of arrival.
    std::function<void(Event)> on_event;
    /// true: events are delivered from now on. false: the connection was lost, events may be missed.
    std::function<void(bool listening)> on_state;
  };
  virtual std::unique_ptr<Watch> listen(redis::Client& client, const Keys& keys, Listener listener) = 0;
};

/// Reports that a queue may have work. A hint only: recovery and the deadline of each wait find what it
/// missed.
class WakeUpSource {
 public:
  virtual ~WakeUpSource() = default;
  struct Listener {
    std::function<void()> on_work;
    /// The same, for a job that may have entered anywhere in the order of waiting jobs.
    std::function<void(const JobId&)> on_arrival;
    /// A cancellation was requested on Gaur's own channel of this queue.
    std::function<void()> on_cancel;
    std::function<void(bool listening)> on_state;
  };
  virtual std::unique_ptr<Watch> watch(redis::Client& client, const Keys& keys, Listener listener) = 0;
};

/// Schedulers of a dialect whose workers create the next iteration when they take one.
class TakenSchedulers : public Schedulers {
 public:
  /// On the loop, before the take request is answered.
  virtual void on_taken(const QueueName& queue, const Job& job) = 0;
};

struct Dialect {
  /// For messages: "Bull".
  std::string name{};
  Capabilities capabilities{};
  Semantics semantics{};
  /// Why queues of this dialect cannot store a global concurrency or a rate limit.
  std::string no_global_concurrency{}, no_rate_limit{};
  JobCodec codec{};
  KeyLayout layout{};
  std::span<const ScriptText> scripts{};
  /// Whether a queue with this evidence may be used. Errors: kPermission, with evidence and advice.
  Status (*may_be_used)(const QueueName& queue, const Evidence& evidence) = nullptr;
  std::shared_ptr<EventSource> events{};
  std::shared_ptr<WakeUpSource> wake_ups{};
  std::function<std::shared_ptr<TakenSchedulers>(std::shared_ptr<StoreContext>)> make_schedulers{};
};

}  // namespace gaur::redis_store
