#pragma once
// Events and actions of a worker's state machine. Values only.
#include <variant>
#include <vector>

#include "core/run.hpp"
#include "core/store.hpp"
#include "worker/status.hpp"

namespace gaur::worker {

namespace event {
struct Begin {};
/// The time of Machine::wake_at().
struct Tick {};
struct Quiet {};
struct Resume {};
struct Refuse {
  QueueName queue;
  std::string why;
};
struct Accept {
  QueueName queue;
};
struct Stop {
  Duration patience{0};
};
struct TakeEnded {
  QueueName queue;
  /// Of its operation.
  std::uint64_t sequence = 0;
  Result<TakeReply> reply;
};
struct Extended {
  QueueName queue;
  std::vector<HeldLock> held;
  Result<ExtendReply> reply;
};
struct ReclaimEnded {
  QueueName queue;
  Result<std::vector<JobId>> reply;
};
struct RecoverEnded {
  QueueName queue;
  Result<Recovered> reply;
};
struct WakeEnded {
  QueueName queue;
  Result<QueueHint> reply;
};
struct WaitEnded {
  Result<WorkReply> reply;
};
/// The store rejected a progress or log lines.
struct NotStored {
  LockToken run;
  Error error;
};
struct Progress {
  LockToken run;
  std::string json;
};
struct Log {
  LockToken run;
  std::string line;
};
struct RunEnded {
  LockToken run;
  RunEnd end;
  Usage usage;
};
}  // namespace event
using Input = std::variant<event::Begin, event::Tick, event::Quiet, event::Resume, event::Refuse,
                           event::Accept, event::Stop, event::TakeEnded, event::ReclaimEnded, event::Extended,
                           event::RecoverEnded, event::WakeEnded, event::WaitEnded, event::NotStored,
                           event::Progress, event::Log, event::RunEnded>;

namespace action {
struct SendTake {
  TakeRequest request;
};
struct Extend {
  ExtendRequest request;
};
struct Reclaim {
  ReclaimRequest request;
};
struct Recover {
  RecoverRequest request;
};
struct Wake {
  QueueName queue;
};
struct Wait {
  WorkRequest request;
};
struct StoreProgress {
  JobRef job;
  LockToken run;
  std::string json;
};
struct StoreLogs {
  JobRef job;
  LockToken run;
  std::vector<std::string> lines;
};
struct StartRun {
  RunRequest request;
};
struct StopRun {
  LockToken run;
  StopReason reason = StopReason::kCancel;
  std::string who, why;
};
struct Stopped {
  StopReport report;
};
}  // namespace action
using Action = std::variant<action::SendTake, action::Extend, action::Reclaim, action::Recover, action::Wake,
                            action::Wait, action::StoreProgress, action::StoreLogs, action::StartRun,
                            action::StopRun, action::Stopped>;

}  // namespace gaur::worker
