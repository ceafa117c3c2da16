#pragma once
// Which dialect a queue's keys speak, told from what stands in them. Bull and BullMQ share base, names and
// most keys, and a queue that both write loses jobs; so evidence of both is reported and refused.
// Pure: facts are gathered elsewhere (inspect.hpp). Thread-safety: values.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gaur/names.hpp"
#include "gaur/result.hpp"

namespace gaur::bull {

enum class Dialect : std::uint8_t { kUnknown, kBull, kBullMq, kMixed };
/// "unknown", "bull", "bullmq", "mixed".
std::string_view to_string(Dialect dialect);

/// What was read, at most a few dozen entries of each.
struct DialectFacts {
  bool events_stream = false;
  std::string meta_version{};       ///< HGET meta version
  bool meta_max_events = false;     ///< HEXISTS meta opts.maxLenEvents
  std::vector<std::string> keys{};  ///< those of telling_keys() that exist
  struct RepeatMember {
    std::string member{};
    bool scheduler = false;  ///< a hash repeat:<member> with the field `ic`
    bool hash = false;       ///< any hash repeat:<member>
  };
  std::vector<RepeatMember> repeat{};
  struct SampledJob {
    std::string id{};
    std::vector<std::string> fields{};  ///< names
    std::string options{};              ///< JSON text
    std::string lock{};                 ///< the token, or ""
  };
  std::vector<SampledJob> jobs{};
  std::vector<std::string> worker_commands{};  ///< last commands of the connections named as workers of it
};

/// Keys whose mere existence tells something; to be asked for by name.
const std::vector<std::string>& telling_keys();

struct Evidence {
  std::vector<std::string> bull{},
      bullmq{};  ///< each a short phrase: "key meta-paused", "job 7 has field atm"
  /// What a BullMQ client writes that only looks at a queue (a Queue writes `meta` before its first command):
  /// no sign that BullMQ has jobs there.
  std::vector<std::string> looked{};
  /// Commands that remove what only BullMQ wrote, as far as it was seen: command, key without the base,
  /// arguments.
  struct Removal {
    std::string command{}, key{};
    std::vector<std::string> arguments{};
  };
  std::vector<Removal> removals{};
  std::string base{};            ///< of the queue's keys; given by who gathered the facts, as is `cli`
  std::string cli{"redis-cli"};  ///< speaks to that server and database
  Dialect dialect() const;
  /// The command line that carries `removals` out; empty where there are none.
  std::string removal_command() const;
};
Evidence weigh(const DialectFacts& facts);

/// ok() where Gaur may use the queue as a Bull queue (Bull or nothing there). Errors: kPermission, naming
/// both kinds of evidence and what to do.
Status may_be_used_as_bull(const QueueName& queue, const Evidence& evidence);

}  // namespace gaur::bull
