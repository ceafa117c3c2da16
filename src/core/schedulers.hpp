#pragma once
// Schedulers: repeatable jobs of a store. Optional: Store::schedulers() returns nullptr if the store lacks
// Capability::kSchedulers.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gaur/future.hpp"
#include "gaur/queue.hpp"

namespace gaur {

struct Schedule {
  std::string id{};
  /// Cron pattern, or "" with `every`.
  std::string pattern{};
  Duration every{0};
  std::string time_zone{};
  std::optional<Time> start{}, end{};
  std::optional<std::uint64_t> limit{};
  /// The template.
  NewJob job{};
  /// Replies only.
  std::optional<Time> next{};
  /// Replies only.
  std::uint64_t iterations = 0;
};

/// Thread-safety and durability: as Store.
class Schedulers {
 public:
  virtual ~Schedulers() = default;
  virtual Async<Added> upsert(QueueName queue, Schedule schedule, Time next) = 0;
  /// Adds the job of slot `next` after `slot` was taken. Idempotent.
  virtual Async<std::optional<Added>> advance(QueueName queue, std::string id, Time slot, Time next) = 0;
  virtual Async<Unit> remove_schedule(QueueName queue, std::string id) = 0;
  virtual Async<std::vector<Schedule>> schedules(QueueName queue, std::uint64_t offset,
                                                 std::uint32_t limit) = 0;
};

}  // namespace gaur
