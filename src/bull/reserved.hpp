#pragma once
// Job ids and the keys of the queue share one namespace: the name of a key cannot be the id of a job.
// Thread-safety: pure function.
#include <array>
#include <string_view>

namespace gaur::bull {

/// Whether a job of this id would share its key with the queue, or with another job's lock or logs.
inline bool is_reserved_id(std::string_view id) {
  constexpr std::array<std::string_view, 24> kNames{
      "id",      "wait",      "paused",      "meta-paused",      "meta",
      "active",  "delayed",   "priority",    "stalled",          "repeat",
      "limiter", "completed", "failed",      "stalled-check",    "events",
      "marker",  "pc",        "prioritized", "waiting-children", "waiting",
      "resumed", "drained",   "duplicated",  "debounced"};
  for (const std::string_view name : kNames) {
    if (id == name) return true;
  }
  return id.starts_with("limiter:") || id.starts_with("metrics:") || id.starts_with("de:") ||
         id.ends_with(":lock") || id.ends_with(":logs");
}

}  // namespace gaur::bull
