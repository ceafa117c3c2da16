#include "http/audit.hpp"

#include <utility>

namespace gaur::http {

namespace {
constexpr std::chrono::seconds kMinute{60};
}  // namespace

/// Clients without a token decide how many lines there are, so their number has a limit.
bool AuditLog::begin_line() {
  const Instant now = clock_.now();
  if (now - minute_ >= kMinute) {
    minute_ = now;
    lines_ = 0;
    if (const auto dropped = std::exchange(dropped_, 0); dropped > 0)
      log_.warn("audit lines dropped: more than 600 in a minute", {{"lines", dropped}});
  }
  if (lines_ >= kLinesAMinute) {
    ++dropped_;
    return false;
  }
  ++lines_;
  return true;
}

void AuditLog::rejected(const Entry& entry, std::string_view code) {
  if (!begin_line()) return;
  log_.warn("request rejected", {{"token", entry.token},
                                 {"remote", entry.remote},
                                 {"method", entry.method},
                                 {"path", entry.path},
                                 {"status", entry.status},
                                 {"code", code}});
}

void AuditLog::operated(const Entry& entry) {
  if (!begin_line()) return;
  log_.info("operator request", {{"token", entry.token},
                                 {"remote", entry.remote},
                                 {"method", entry.method},
                                 {"path", entry.path},
                                 {"status", entry.status}});
}

}  // namespace gaur::http
