#pragma once
// Idempotency keys as lanes of the store: each key is a lane of its own with the single operation 1, so the
// store answers a repeat with the first answer, after a restart as well. What the lane cannot tell is whether
// the repeat asks for the same thing; for that the fingerprint of each request is kept in memory, and for
// keys from before a restart the stored job is compared.
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <unordered_map>

#include "core/store.hpp"

namespace gaur {

/// 64 bits over everything that the jobs say.
std::uint64_t fingerprint(const std::vector<NewJob>& jobs);

/// The operation that stands for this key. Keys of different queues are different.
OperationId operation_of(const QueueName& queue, const std::string& key);

/// Whether `stored` could have come from `asked`: the same name, and data that says the same (white space and
/// the order of members aside; every digit of a number counts).
bool same_request(const Job& stored, const NewJob& asked);

/// The newest keys and what was asked under them. Thread-safety: internally locked.
class KnownKeys {
 public:
  explicit KnownKeys(std::size_t capacity) : capacity_(capacity) {}

  enum class Verdict : std::uint8_t {
    kNew,    ///< not heard of since this process started
    kSame,   ///< repeated
    kOther,  ///< the key stands for another request
  };
  Verdict check(const SessionName& session, std::uint64_t fingerprint);
  /// The request was not carried out: the key is free again.
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
