#pragma once
// The frames that a runner receives (docs/reference/runner-protocol.md).
#include <functional>
#include <string>

#include "base/lines.hpp"
#include "base/raw_value.hpp"
#include "gaur/result.hpp"

namespace gaur::duckdb {

/// One frame from Gaur. The job's data keeps its text, so that numbers keep their digits.
struct Frame {
  /// Every member but `data`.
  json::Object head;
  /// Null if missing.
  json::RawValue data;
  /// The received line.
  std::string text;
};
/// Errors: kInvalidArgument; kTooLarge.
Result<Frame> parse_frame(std::string line);

/// Calls `each` with each frame; ends as read_lines(). Errors: those of read_lines() and parse_frame().
Result<ReadEnd> read_frames(int descriptor, int wake, const std::function<bool(Frame)>& each);

}  // namespace gaur::duckdb
