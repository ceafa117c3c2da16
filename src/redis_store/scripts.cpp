#include "redis_store/scripts.hpp"

#include <cassert>

namespace gaur::redis_store {

Scripts::Scripts(std::span<const ScriptText> texts) {
  for (const ScriptText& script : texts)
    scripts_.emplace(script.verb, redis::Script(std::string(script.verb), std::string(script.text)));
}

const redis::Script& Scripts::operator[](std::string_view verb) const {
  const auto found = scripts_.find(verb);
  assert(found != scripts_.end());
  return found->second;
}

}  // namespace gaur::redis_store
