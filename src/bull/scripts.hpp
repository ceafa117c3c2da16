#pragma once
// Our Lua scripts, composed into the binary at build time from scripts/*.lua. Nothing is read at run time.
// Every script has KEYS[1] = the queue's base, KEYS[2] = the base of Gaur's own keys; the names of the keys
// that it touches begin with one of them, so that a hash tag in prefix or queue name holds for all.
// Thread-safety: immutable after construction.
#include <map>
#include <span>
#include <string_view>

#include "redis/client.hpp"

namespace gaur::bull {

struct ScriptText {
  std::string_view name, text;
};
/// In alphabetic order of their names.
std::span<const ScriptText> script_texts();

class Scripts {
 public:
  Scripts();
  /// The script of scripts/<name>.lua. It must exist: the names stand in our code only.
  const redis::Script& operator[](std::string_view name) const;

 private:
  std::map<std::string_view, redis::Script> scripts_;
};

}  // namespace gaur::bull
