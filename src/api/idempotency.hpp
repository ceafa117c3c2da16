#pragma once
// Idempotency keys as sessions of the store: each key is a session with the single operation 1, so the store
// returns the first reply to a repeat, also after a restart. To detect a repeat with other jobs, the
// fingerprint of each request is kept in memory; for keys from before a restart the stored job is compared.
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <unordered_map>

#include "core/store.hpp"

namespace gaur {

/// 64 bits over all fields of the jobs.
std::uint64_t fingerprint(const std::vector<NewJob>& jobs);

/// The operation of this key in its queue.
OperationId operation_of(const QueueName& queue, const std::string& key);

/// Whether `stored` can result from `asked`: equal names, and data that differs at most in white space and
/// the order of members.
bool same_request(const Job& stored, const NewJob& asked);

/// The fingerprints of the newest keys. Thread-safety: internally locked.
class KnownKeys {
 public:
  explicit KnownKeys(std::size_t capacity) : capacity_(capacity) {}

  enum class Verdict : std::uint8_t {
    /// First use since this process started.
    kNew,
    /// Repeated.
    kSame,
    /// The key was used for another request.
    kOther,
  };
  Verdict check(const SessionName& session, std::uint64_t fingerprint);
  /// The request failed: the key may be used again.
  void forget(const SessionName& session);

 private:
  struct Entry {
    std::uint64_t fingerprint;
    std::list<SessionName>::iterator place;
  };
  const std::size_t capacity_;
  std::mutex mutex_;
  std::list<SessionName> oldest_first_;
  std::unordered_map<SessionName, Entry> entries_;
};

}  // namespace gaur
