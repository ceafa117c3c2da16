#include "core/capabilities.hpp"

namespace gaur {

std::string_view to_string(Capability capability) {
  switch (capability) {
    case Capability::kHandOff: return "hand-off";
    case Capability::kSchedulers: return "schedulers";
    case Capability::kDeduplication: return "deduplication";
    case Capability::kRateLimit: return "rate limit";
    case Capability::kGlobalConcurrency: return "global concurrency";
    case Capability::kChangeDelay: return "change delay";
    case Capability::kChangePriority: return "change priority";
    case Capability::kUsage: return "usage";
    case Capability::kFailureCode: return "failure code";
    case Capability::kEventLog: return "event log";
    case Capability::kProcessedBy: return "processed by";
    case Capability::kEveryOption: return "every option";
    case Capability::kCount_: break;
  }
  return "unknown";
}

}  // namespace gaur
