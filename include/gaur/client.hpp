#pragma once
// Client: everything that a producer or an onlooker can ask of a host, over whatever store it has. It
// validates (every problem at once), counts, makes repeats harmless and waits for results without polling.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gaur/functions.hpp"
#include "gaur/future.hpp"
#include "gaur/queue.hpp"

namespace gaur {

struct AddOptions {
  /// Sending the same jobs again under the same key (1 to 255 printable ASCII characters; kept for each
  /// queue) answers the first answer and adds nothing, also after a restart of the host. Other jobs under a
  /// known key: kAlreadyExists. "": no protection. A key is kept as long as the store keeps a lane
  /// (docs/http-api.md).
  std::string idempotency_key;
  bool checked = false;  ///< the caller has just seen problems() answer none: not checked again
};

struct CallOptions {
  std::string idempotency_key;  ///< as in AddOptions
  JobOptions job;               ///< delay, priority, timeout ...
};

/// A call that became a job.
struct CallReceipt {
  JobRef job;
  Added added;
};

/// Thread-safety: every verb from any thread. Futures are fulfilled on the store's executor (or at once,
/// where the request itself is wrong): what is hung on them must not block. Durability and sending again: as
/// gaur::Store says; an answer means "committed".
class Client {
 public:
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);  ///< made by api/client_factory.hpp
  ~Client();                                    ///< waits under way are answered kStopping

  /// Adds all or none. A job whose own id is taken is answered with the first one: Added::duplicate, and
  /// Added::differs where its name or data are others. Errors: kInvalidArgument (all problems, "; " between
  /// them, each "jobs[3].data: ..."), kTooLarge, kQueueFull, kStoreFull, kAlreadyExists (idempotency key),
  /// kStopping; kNotFound for a function or queue that nothing would ever run, on a store that only this host
  /// works on.
  Async<std::vector<Added>> add(QueueName queue, std::vector<NewJob> jobs, AddOptions options = {});
  /// The problems that add() would refuse these jobs for; empty: none. No I/O.
  std::vector<std::string> problems(const QueueName& queue, const std::vector<NewJob>& jobs) const;

  /// Adds a job of `function` to its queue; `parameters` is a JSON object. Errors: as add(); kNotFound for an
  /// unknown function, with those that are known.
  Async<CallReceipt> call(FunctionName function, std::string parameters, CallOptions options = {});
  const FunctionCatalog& functions() const;

  Async<Job> get(JobRef job);
  /// The job as soon as it is completed or failed; after `at_most` as it then stands. A job that retention
  /// removes as it finishes is answered all the same, if it was there when the wait began, or if `since` is a
  /// cursor of its queue from before it was added (then with what the events tell: id, state, result or
  /// reason). Errors: kNotFound (never there, or removed while waiting), kBusy (too many waits), kStopping.
  Async<Job> wait_finished(JobRef job, Duration at_most, std::string since = {});
  /// A cursor for `since`. Costs nothing while somebody waits in that queue.
  Async<std::string> cursor(QueueName queue);
  Async<Position> position(JobRef job);
  Async<LogPage> logs(JobRef job, std::uint64_t offset, std::uint32_t limit);

  /// `who` and `why` stand in the failure of the cancelled job.
  Async<CancelReply> cancel(JobRef job, std::string who, std::string why);
  Async<Unit> retry(JobRef job, bool reset_attempts);
  Async<Unit> promote(JobRef job);
  Async<Unit> remove(JobRef job);

  Async<std::vector<QueueName>> queues();
  // Errors of all verbs on one queue: kNotFound, with the known names, for a queue that is neither configured
  // nor in the store, on a store that only this host works on. A shared store takes any name: another host
  // may serve it.
  Async<Counts> counts(QueueName queue);
  Async<std::vector<Job>> range(RangeRequest request);
  Async<Unit> pause(QueueName queue);
  Async<Unit> resume(QueueName queue);
  Async<EventPage> events(QueueName queue, std::string cursor, std::uint32_t limit, Duration at_most);

  /// After kQueueFull: how long a producer should wait, from the rate at which this queue finished jobs in
  /// the last minute. 1 s to 60 s; 5 s where nothing finished yet.
  std::chrono::seconds retry_after(const QueueName& queue) const;
  /// All counters and histograms of this host and the counts of its queues, as Prometheus text (version
  /// 0.0.4).
  Async<std::string> metrics();

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace gaur
