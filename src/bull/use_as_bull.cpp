#include "bull/use_as_bull.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace gaur::bull {
namespace {

using redis_store::DetectedDialect;
using redis_store::Evidence;

/// The jobs that the removal command deletes.
std::string loss_of(const Evidence& evidence) {
  for (const Evidence::Removal& removal : evidence.removals) {
    if (removal.key == "prioritized" || removal.key == "waiting-children")
      return fmt::format(" (that drops the jobs of BullMQ that wait in {})", removal.key);
  }
  return "";
}

std::string first_of(const std::vector<std::string>& phrases) {
  constexpr std::size_t kShown = 5;
  const std::vector<std::string> shown(
      phrases.begin(), phrases.begin() + static_cast<std::ptrdiff_t>(std::min(kShown, phrases.size())));
  return fmt::format("{}{}", fmt::join(shown, ", "), phrases.size() > kShown ? ", ..." : "");
}

}  // namespace

Status may_be_used_as_bull(const QueueName& queue, const Evidence& evidence) {
  const std::string command = evidence.removal_command();
  const std::string remove = command.empty() ? "" : fmt::format(": {}{}", command, loss_of(evidence));
  switch (evidence.dialect()) {
    case DetectedDialect::kUnknown:
    case DetectedDialect::kBull: return ok();
    case DetectedDialect::kBullMq:
      return Error{
          Errc::kPermission,
          fmt::format("queue {} speaks BullMQ ({}); the Bull dialect would lose its jobs. Use another queue "
                      "name or prefix for Bull. If BullMQ is not used there any more, stop its clients and "
                      "remove what they left{}",
                      queue.value, first_of(evidence.bullmq), remove)};
    case DetectedDialect::kMixed:
      return Error{
          Errc::kPermission,
          fmt::format(
              "queue {} is mixed: Bull wrote {}; BullMQ wrote {}. Each loses jobs of the other; Gaur "
              "takes no jobs from it. Stop the clients of one of them, or give them another prefix, and let "
              "its jobs finish; if it is BullMQ, then remove what only it wrote{}",
              queue.value, first_of(evidence.bull), first_of(evidence.bullmq), remove)};
  }
  return ok();
}

}  // namespace gaur::bull
