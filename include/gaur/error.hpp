#pragma once
// Errors that a caller can act on, as values. Each code has one meaning; whether the caller is at fault,
// whether a retry can succeed and which HTTP status is sent follow from the code.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace gaur {

enum class Errc : std::uint8_t {
  /// A value is out of range or of the wrong type; the message names the field and the rule.
  kInvalidArgument,
  /// No such job, queue or function.
  kNotFound,
  /// The name is taken, with other content.
  kAlreadyExists,
  /// The transition is not legal from the job's current state.
  kNotInState,
  /// The run has no lock: it expired, or the job was requeued.
  kLockMissing,
  /// The job is locked under another token: a newer run of it exists.
  kLockMismatch,
  /// max_waiting is reached; retry later.
  kQueueFull,
  /// The disk or its quota is full for adds; finishes are still stored.
  kStoreFull,
  /// Over a size limit; the message names it.
  kTooLarge,
  /// The message names the missing capability.
  kUnsupported,
  /// The outcome is unknown; sending the same operation again is safe.
  kDisconnected,
  /// A deadline passed.
  kTimeout,
  /// In use by another process or worker; the message names it.
  kBusy,
  /// A system call failed; the message has errno's text.
  kIo,
  /// Stored or received bytes are damaged; the message says where.
  kCorrupt,
  /// Written by a newer version of Gaur.
  kNewerFormat,
  /// this host is stopping and rejects new requests.
  kStopping,
  /// Not allowed by configuration or token.
  kPermission,
  /// A bug in Gaur.
  kInternal,
};

/// The code in JSON, logs and job records: "not_found".
std::string_view to_string(Errc code);

/// Thread-safety: a value.
struct Error {
  Errc code = Errc::kInternal;
  /// For people: what failed, where, and what to do. UTF-8, one line.
  std::string message;

  /// The same error with context in front: "add to queue query: disk full".
  Error in(std::string_view context) const& { return {code, std::string(context) + ": " + message}; }
  bool operator==(const Error&) const = default;
};

}  // namespace gaur
