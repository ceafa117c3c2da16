#pragma once
// The Lua scripts of a dialect, composed into the binary at build time (cmake/RedisScripts.cmake). Nothing is
// read at run time. KEYS[1] is the queue's base, KEYS[2] the base of Gaur's own keys. Every key that a script
// touches begins with one of them, so that a hash tag in prefix or queue name holds for all.
// Thread-safety: immutable after construction.
#include <cstddef>
#include <map>
#include <span>
#include <string_view>

#include "redis/client.hpp"

namespace gaur::redis_store {

/// Jobs that one call of a script takes, finishes, wakes or removes at most: it bounds how long the server is
/// blocked.
inline constexpr std::size_t kJobsPerScript = 64;

struct ScriptText {
  std::string_view verb, text;
};

class Scripts {
 public:
  explicit Scripts(std::span<const ScriptText> texts);
  /// The dialect must have the verb.
  const redis::Script& operator[](std::string_view verb) const;

 private:
  std::map<std::string_view, redis::Script> scripts_;
};

}  // namespace gaur::redis_store
