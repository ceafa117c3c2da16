#pragma once
// Client: the interface of producers and monitoring to a host, independent of its store. Validates all jobs,
// counts, protects repeated adds with idempotency keys, and waits for results without polling.
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "gaur/functions.hpp"
#include "gaur/future.hpp"
#include "gaur/queue.hpp"

namespace gaur {

struct AddOptions {
  /// 1 to 255 printable ASCII characters, scoped to the queue. A repeated add of the same jobs with the same
  /// key returns the first reply and adds nothing, also after a restart of the host. Other jobs with a known
  /// key: kAlreadyExists. "": no protection. A key is kept as long as the store keeps a session
  /// (docs/reference/http-api.md).
  std::string idempotency_key;
  /// The caller has called problems() for these jobs and got none: add() skips the validation.
  bool checked = false;
};

struct CallOptions {
  /// As in AddOptions.
  std::string idempotency_key;
  /// Delay, priority, timeout ...
  JobOptions job;
};

/// A call that became a job.
struct CallReceipt {
  JobRef job;
  Added added;
};

/// Thread-safety: every method from any thread. Futures are fulfilled on the store's executor, or at once for
/// an invalid request; callbacks of then() must not block. A fulfilled future without error means that the
/// change is committed. core/store.hpp defines durability and retries.
class Client {
 public:
  struct Impl;
  /// Created by make_client() of api/client_factory.hpp.
  explicit Client(std::unique_ptr<Impl> impl);
  /// Fails pending waits with kStopping.
  ~Client();

  /// Adds all jobs or none. A job whose own id is taken returns the existing one: Added::duplicate, and
  /// Added::differs if its name or data are different. Errors: kInvalidArgument (all problems, joined with ";
  /// ", each "jobs[3].data: ..."), kTooLarge, kQueueFull, kStoreFull, kAlreadyExists (idempotency key),
  /// kStopping; kNotFound for a function or queue that no worker serves, if only this host uses the store.
  Async<std::vector<Added>> add(QueueName queue, std::vector<NewJob> jobs, AddOptions options = {});
  /// The problems for which add() would reject these jobs; empty if there are none. No I/O.
  std::vector<std::string> problems(const QueueName& queue, const std::vector<NewJob>& jobs) const;

  /// Adds a job of `function` to its queue; `parameters` is a JSON object. Errors: as add(); kNotFound for an
  /// unknown function, with the known ones.
  Async<CallReceipt> call(FunctionName function, std::string parameters, CallOptions options = {});
  const FunctionCatalog& functions() const;

  Async<Job> get(JobRef job);
  /// Returns the job when it is completed or failed, or its current state once `at_most` has elapsed. A job
  /// that retention removes as it finishes is returned too if it existed when the wait began, or if `since`
  /// is a cursor of its queue from before its add; then only the fields that the event contains are set: id,
  /// state, and result or reason. Errors: kNotFound (unknown, or removed during the wait), kBusy (too many
  /// waits), kStopping, kDisconnected (`cancel` was requested, which ends the wait at once).
  Async<Job> wait_finished(JobRef job, Duration at_most, std::string since = {}, std::stop_token cancel = {});
  /// A cursor for `since`. Needs no request to the store while another wait is active in that queue.
  Async<std::string> cursor(QueueName queue);
  Async<Position> position(JobRef job);
  Async<LogPage> logs(JobRef job, std::uint64_t offset, std::uint32_t limit);

  /// The failure of the cancelled job contains `who` and `why`.
  Async<CancelReply> cancel(JobRef job, std::string who, std::string why);
  Async<Unit> retry(JobRef job, bool reset_attempts);
  Async<Unit> promote(JobRef job);
  Async<Unit> remove(JobRef job);

  Async<std::vector<QueueName>> queues();
  // Errors of the operations on one queue: kNotFound, with the known names, for a queue that is neither
  // configured nor stored, if only this host uses the store. A shared store accepts any name, since another
  // host may serve it.
  Async<Counts> counts(QueueName queue);
  Async<std::vector<Job>> range(RangeRequest request);
  Async<Unit> pause(QueueName queue);
  Async<Unit> resume(QueueName queue);
  Async<EventPage> events(QueueName queue, std::string cursor, std::uint32_t limit, Duration at_most);

  /// How long a producer should wait after kQueueFull, by the rate at which this queue finished jobs in the
  /// last minute. 1 s to 60 s; 5 s if no job has finished.
  std::chrono::seconds retry_after(const QueueName& queue) const;
  /// All counters and histograms of this host and the counts of its queues, as Prometheus text (version
  /// 0.0.4).
  Async<std::string> metrics();

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace gaur
