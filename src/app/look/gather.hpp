#pragma once
// Collects the facts for `gaur look` with a bull::Inspector.
#include "app/look/facts.hpp"
#include "redis/client.hpp"

namespace gaur::app {

struct GatherOptions {
  /// Without a password.
  std::string url;
  std::string prefix;
  std::uint32_t db = 0;
  /// Empty: all queues under the prefix.
  std::vector<std::string> queues{};
  /// Number of kept jobs to read from each queue and state.
  std::uint32_t samples = 1'000;
};

/// Reads only. Blocks; do not call it on the client's loop. Errors: those of the client; kNotFound if a named
/// queue does not exist.
Result<LookFacts> gather_facts(redis::Client& client, const GatherOptions& options);

/// "there are queues under "bull" ("mail", "rank")", or that the database has none.
std::string human_prefixes(const bull::PrefixesFound& found);

/// The newest finished jobs of one queue, completed and failed.
Result<std::vector<KeptJob>> kept_jobs(bull::Inspector& inspector, const QueueName& queue, State state,
                                       std::uint32_t limit);

}  // namespace gaur::app
