#pragma once
// Repeating jobs in Bull's layout. A schedule is a member of the zset `repeat`; its next run is an ordinary
// delayed job that carries the schedule in its options. Whoever takes a run adds the next one: Bull does, and
// so do we. Thread-safety: that of Store.
#include "bull/repeat.hpp"
#include "bull/shared.hpp"

namespace gaur::bull {

class RepeatableJobs final : public Schedulers {
 public:
  explicit RepeatableJobs(SharedPtr shared) : shared_(std::move(shared)) {}

  /// Adds the run after this one, if `job` is a run of a schedule that is still there. In the background:
  /// should this process die before it is done, the run is taken again by somebody, and that one adds it.
  void on_taken(const QueueName& queue, const Job& job);

  /// `schedule.id` is Bull's repeat.jobId. Schedules of the same id and job name with another pattern are
  /// replaced. Errors: kInvalidArgument: the pattern, zone or name (a name with a colon cannot be told from
  /// the rest of a key).
  Async<Added> upsert(QueueName queue, Schedule schedule, Time next) override;
  /// kUnsupported: in this layout only the taking of a run makes the next.
  Async<std::optional<Added>> advance(QueueName queue, std::string id, Time slot, Time next) override;
  /// `id`: the schedule's own, or the whole repeat key of one that has none. Errors: kNotFound.
  Async<Unit> remove_schedule(QueueName queue, std::string id) override;
  /// By time of their next run. The id of one that has none of its own is its repeat key.
  Async<std::vector<Schedule>> schedules(QueueName queue, std::uint64_t offset, std::uint32_t limit) override;

 private:
  SharedPtr shared_;
};

/// The options of the run for `slot`: those of the run before it, with what changes replaced and without
/// `delay` and `timestamp`, which the script adds. Unknown members stay byte for byte. Nothing if `options`
/// are no object.
std::optional<std::string> options_of_next(std::string_view options, const std::string& key,
                                           std::int64_t count, const Slot& slot, const JobId& id);

}  // namespace gaur::bull
