#pragma once
// What a queue looks like to those who come after Gaur: everything of ours given back, what only Gaur would
// wake named or promoted, and a verdict. Works from the store alone, while no host carries the name.
#include <string>
#include <vector>

#include "app/host/opened_store.hpp"

namespace gaur::app {

/// What becomes of delayed jobs that nobody wakes when only bare workers are left.
enum class Delayed : std::uint8_t {
  kList,     ///< they are named, and the verdict is "not safe"
  kPromote,  ///< they wait from now on, before their time
  kKeep,     ///< they are named and stay: somebody else wakes them (`gaur work --sweep-only`, a process())
};

struct LeaveNote {
  bool unsafe = false;  ///< stands against starting other workers
  std::string line;
};

/// Heals and verifies one queue; each finding is a line. `lane`: of the host's worker. Blocks. Errors: the
/// store's.
Result<std::vector<LeaveNote>> leave_queue(OpenedStore& opened, const QueueName& queue,
                                           const SessionName& session, Delayed delayed);

}  // namespace gaur::app
