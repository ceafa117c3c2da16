#pragma once
// A parsed `run` frame, the data of a JobView. Thread-safety: immutable.
#include <string>

#include "base/json.hpp"
#include "gaur/names.hpp"

namespace gaur::runner_sdk {

class JobData {
 public:
  /// Parses a `run` frame. Errors: kInvalidArgument.
  static Result<JobData> read(std::string_view frame);

  std::string run, id, queue, name, function;
  std::uint32_t attempt = 1;
  std::uint64_t started = 1;
  /// 0: not in the frame.
  std::uint32_t threads = 0;
  /// 0: not in the frame.
  std::uint64_t memory_bytes = 0;
  /// 0: none.
  Duration timeout{0};
  /// JSON text, byte for byte.
  std::string data = "null";
  /// The same, parsed.
  json::Value value;
};

}  // namespace gaur::runner_sdk
