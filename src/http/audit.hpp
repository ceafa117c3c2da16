#pragma once
// The audit log: one line for each request that was rejected for lack of access, and for each one that
// changed a job, a queue or the host. Thread-safety: confined.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/env.hpp"
#include "base/log.hpp"

namespace gaur::http {

class AuditLog {
 public:
  /// Further lines of a minute are counted and reported by one line in the next.
  static constexpr std::uint32_t kLinesAMinute = 600;

  AuditLog(Logger log, const Clock& clock) : log_(std::move(log)), clock_(clock) {}

  struct Entry {
    /// Of the token, or "-".
    std::string token = "-";
    std::string remote, method;
    /// Without the query, which may contain a signature.
    std::string path;
    unsigned status = 0;
  };
  /// `code`: of the problem document.
  void rejected(const Entry& entry, std::string_view code);
  void operated(const Entry& entry);

 private:
  bool begin_line();

  Logger log_;
  const Clock& clock_;
  Instant minute_{};
  std::uint32_t lines_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace gaur::http
