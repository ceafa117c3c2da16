#pragma once
// Repeatable jobs in Bull's layout. A schedule is a member of the sorted set `repeat`; its next iteration is
// a delayed job with the schedule in its options. The worker that takes an iteration adds the next one, in
// Bull and in Gaur. Thread-safety: that of Store.
#include "bull/repeat.hpp"
#include "redis_store/store_context.hpp"

namespace gaur::bull {

class RepeatableJobs final : public redis_store::TakenSchedulers {
 public:
  explicit RepeatableJobs(redis_store::ContextPtr context) : context_(std::move(context)) {}

  /// Adds the next iteration in the background, if `job` is an iteration of a schedule that still exists. If
  /// the process dies before that, the job is taken again and its next taker adds the iteration.
  void on_taken(const QueueName& queue, const Job& job) override;

  /// `schedule.id` is Bull's repeat.jobId. Schedules of the same id and job name with another pattern are
  /// replaced. Errors: kInvalidArgument: the pattern, zone or name (a name with a colon makes the repeat key
  /// ambiguous).
  Async<Added> upsert(QueueName queue, Schedule schedule, Time next) override;
  /// kUnsupported: in this layout only taking an iteration adds the next one.
  Async<std::optional<Added>> advance(QueueName queue, std::string id, Time slot, Time next) override;
  /// `id`: the schedule's own id, or its whole repeat key. Errors: kNotFound.
  Async<Unit> remove_schedule(QueueName queue, std::string id) override;
  /// By time of the next iteration. The id of a schedule without an own one is its repeat key.
  Async<std::vector<Schedule>> schedules(QueueName queue, std::uint64_t offset, std::uint32_t limit) override;

 private:
  redis_store::ContextPtr context_;
};

/// The options of the iteration for `slot`: those of the previous one with the changed members replaced, and
/// without `delay` and `timestamp`, which the script adds. Unknown members are unchanged byte for byte.
/// Nothing if `options` is not a JSON object.
std::optional<std::string> options_of_next(std::string_view options, const std::string& key,
                                           std::int64_t count, const Slot& slot, const JobId& id);

}  // namespace gaur::bull
