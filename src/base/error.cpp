#include "gaur/error.hpp"

namespace gaur {

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::kInvalidArgument: return "invalid_argument";
    case Errc::kNotFound: return "not_found";
    case Errc::kAlreadyExists: return "already_exists";
    case Errc::kNotInState: return "not_in_state";
    case Errc::kLockMissing: return "lock_missing";
    case Errc::kLockMismatch: return "lock_mismatch";
    case Errc::kQueueFull: return "queue_full";
    case Errc::kStoreFull: return "store_full";
    case Errc::kTooLarge: return "too_large";
    case Errc::kUnsupported: return "unsupported";
    case Errc::kDisconnected: return "disconnected";
    case Errc::kTimeout: return "timeout";
    case Errc::kBusy: return "busy";
    case Errc::kIo: return "io";
    case Errc::kCorrupt: return "corrupt";
    case Errc::kNewerFormat: return "newer_format";
    case Errc::kStopping: return "stopping";
    case Errc::kPermission: return "permission";
    case Errc::kInternal: return "internal";
  }
  return "internal";
}

}  // namespace gaur
