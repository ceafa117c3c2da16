#pragma once
// Looking: jobs, states, counts, ranges, logs.
// Thread-safety: that of Store.
#include "bull/shared.hpp"

namespace gaur::bull {

class JobReader {
 public:
  explicit JobReader(SharedPtr shared) : shared_(std::move(shared)) {}

  Async<Job> get(JobRef job);
  Async<State> state(JobRef job);
  Async<Position> position(JobRef job);
  Async<std::vector<QueueName>> queues();
  Async<Counts> counts(QueueName queue);
  /// The ids in one step, the jobs after it: one that moved or went in between is left out.
  Async<std::vector<Job>> range(RangeRequest request);
  Async<LogPage> logs(JobRef job, std::uint64_t offset, std::uint32_t limit);

 private:
  SharedPtr shared_;
};

/// The state that a letter of our scripts stands for ("w", "p", "d", "a", "c", "f").
std::optional<State> state_of(std::string_view letter);
char letter_of(State state);
Error no_such_job(const JobRef& job);
Error not_in_state(const JobRef& job, std::string_view letter, std::string_view wanted);

}  // namespace gaur::bull
