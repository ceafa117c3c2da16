#pragma once
// Detects from a queue's keys which dialect wrote them. Bull and BullMQ share the base and most key names,
// and a queue that both write loses jobs; so evidence of both is reported and rejected. read_evidence()
// gathers the facts with reading commands; the rest is pure. Thread-safety: values; read_evidence() is the
// client's.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gaur/future.hpp"
#include "gaur/names.hpp"
#include "gaur/result.hpp"
#include "redis/client.hpp"
#include "redis_store/keys.hpp"

namespace gaur::redis_store {

enum class DetectedDialect : std::uint8_t { kUnknown, kBull, kBullMq, kMixed };
/// "unknown", "bull", "bullmq", "mixed".
std::string_view to_string(DetectedDialect dialect);

/// What was read: at most a few dozen entries of each kind.
struct DialectFacts {
  bool events_stream = false;
  /// HGET meta version.
  std::string meta_version{};
  /// HEXISTS meta opts.maxLenEvents.
  bool meta_max_events = false;
  /// Those of evidence_keys() that exist.
  std::vector<std::string> keys{};
  struct RepeatMember {
    std::string member{};
    /// A hash repeat:<member> with the field `ic`.
    bool scheduler = false;
    /// Any hash repeat:<member>.
    bool hash = false;
  };
  std::vector<RepeatMember> repeat{};
  struct SampledJob {
    std::string id{};
    /// Names.
    std::vector<std::string> fields{};
    /// JSON text.
    std::string options{};
    /// The token, or "".
    std::string lock{};
  };
  std::vector<SampledJob> jobs{};
  /// Last commands of connections that are named as its workers.
  std::vector<std::string> worker_commands{};
};

/// Keys that only one of the dialects writes.
const std::vector<std::string>& evidence_keys();

struct Evidence {
  /// Each a short phrase: "the key meta-paused", "job 7 has the field atm".
  std::vector<std::string> bull{}, bullmq{};
  /// What a BullMQ client writes that only reads a queue (a Queue writes `meta` before its first command). It
  /// is not evidence of jobs.
  std::vector<std::string> client_traces{};
  /// A command that removes what only BullMQ wrote. `key` is without the base.
  struct Removal {
    std::string command{}, key{};
    std::vector<std::string> arguments{};
  };
  std::vector<Removal> removals{};
  /// Of the queue's keys.
  std::string base{};
  /// Connects to that server and database.
  std::string cli{"redis-cli"};
  DetectedDialect dialect() const;
  /// The shell command for all `removals`; empty if there are none.
  std::string removal_command() const;
};
Evidence evidence_of(const DialectFacts& facts);

/// Reads the facts in two pipelines and changes nothing. Errors: kPermission where the ACL denies reading.
Async<Evidence> read_evidence(redis::Client& client, Keys keys);

}  // namespace gaur::redis_store
