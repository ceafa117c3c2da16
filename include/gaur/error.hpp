#pragma once
// The errors that a caller can act on, as values. One enumerator, one meaning, one advice; what is
// a caller's fault, what is worth another try and which HTTP status answers it follow from the code.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace gaur {

enum class Errc : std::uint8_t {
  kInvalidArgument,  ///< a value is out of range or of the wrong shape; the message names field and rule
  kNotFound,         ///< no such job, queue or function
  kAlreadyExists,    ///< something of this name exists and differs
  kNotInState,       ///< the job is not in a state from which this transition is legal
  kLockMissing,      ///< a finish or renewal without a lock: it expired, or the job was given back
  kLockMismatch,     ///< the job is held under another token: a newer run of it exists
  kQueueFull,        ///< max_waiting reached; try again later
  kStoreFull,        ///< the disk (or its quota) has no room for adds; finishes still work
  kTooLarge,         ///< over a size limit; the message names the limit
  kUnsupported,      ///< this store lacks the capability named in the message
  kDisconnected,     ///< the outcome is unknown; sending the same operation again is safe
  kTimeout,          ///< a deadline passed
  kBusy,             ///< held by another process or worker; the message says by which
  kIo,               ///< the operating system refused; the message carries errno's text
  kCorrupt,          ///< stored or received bytes are not what they must be; the message says where
  kNewerFormat,      ///< written by a newer version of Gaur
  kStopping,         ///< this host is stopping and takes nothing more
  kPermission,       ///< not allowed by configuration or token
  kInternal,         ///< a broken promise of our own
};

/// "not_found" and the like: the code as it stands in JSON, logs and job records.
std::string_view to_string(Errc code);

/// Thread-safety: a value.
struct Error {
  Errc code = Errc::kInternal;
  std::string message;  ///< what, where and what to do; UTF-8, one line, for a person

  /// The same error seen from one layer further out: "add to queue query: disk full".
  Error in(std::string_view context) const& { return {code, std::string(context) + ": " + message}; }
  bool operator==(const Error&) const = default;
};

}  // namespace gaur
