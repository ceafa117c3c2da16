#pragma once
// The functions that this host serves, as the configuration declares them: what a call needs to become a
// job, and what GET /v1/functions shows. Thread-safety: a value; shared as const after start.
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "gaur/names.hpp"

namespace gaur {

struct FunctionInfo {
  FunctionName name;
  QueueName queue;          ///< a call adds its job here
  std::string pool;         ///< the runners that run it
  std::string description;  ///< for people, may be empty
  std::string parameters =
      "{}";  ///< JSON object {"region":{"type":"varchar","required":true}}, shown as it is
  /// Where the queue keeps the function's name: "" is the job's name, else a dotted path into its data
  /// ("func").
  std::string function_field;
  /// Where in the job's data the parameters lie: "" is the data itself, else a dotted path ("params").
  std::string params_path;
  double cores = 0;                       ///< configured needs of one run; 0: a slot's share
  std::uint64_t memory_bytes = 0;         ///< likewise
  std::optional<Duration> timeout;        ///< of a run
  std::optional<Duration> queue_timeout;  ///< of the wait before it
};

struct FunctionCatalog {
  std::map<FunctionName, FunctionInfo> functions;
  /// Queues whose jobs name their function in a field of the data; others: by the job's name.
  std::map<QueueName, std::string> function_field;

  const FunctionInfo* find(const FunctionName& name) const {
    const auto found = functions.find(name);
    return found == functions.end() ? nullptr : &found->second;
  }
};

}  // namespace gaur
