#pragma once
// The functions that this host serves, as the configuration declares them. Contains what turns a call into a
// job and what GET /v1/functions returns. Thread-safety: a value; shared as const after start.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "gaur/names.hpp"

namespace gaur {

struct FunctionInfo {
  FunctionName name;
  /// Calls add their jobs here.
  QueueName queue;
  /// The pool whose runners run it.
  std::string pool;
  /// For people; may be empty.
  std::string description;
  /// JSON object {"region":{"type":"varchar","required":true}}, returned to clients unchanged.
  std::string parameters = "{}";
  /// Where the queue's jobs contain the function's name: "" is the job's name, else a dotted path into its
  /// data
  /// ("func").
  std::string function_field;
  /// Where the job's data contains the parameters: "" is the data itself, else a dotted path ("params").
  std::string params_path;
  /// Configured needs of one run; 0: a slot's share.
  double cores = 0;
  /// Configured needs of one run; 0: a slot's share.
  std::uint64_t memory_bytes = 0;
  /// Its jobs contain their own SQL.
  bool ad_hoc = false;
  /// Longest run.
  std::optional<Duration> timeout;
  /// Longest wait before the first run.
  std::optional<Duration> queue_timeout;
};

struct FunctionCatalog {
  std::map<FunctionName, FunctionInfo> functions;
  /// Queues whose jobs name their function in a field of the data; other queues use the job's name.
  std::map<QueueName, std::string> function_field;

  const FunctionInfo* find(const FunctionName& name) const {
    const auto found = functions.find(name);
    return found == functions.end() ? nullptr : &found->second;
  }
  /// The function of a job with this name and data in this queue.
  FunctionName function_of(const QueueName& queue, std::string_view name, std::string_view data) const;
};

}  // namespace gaur
