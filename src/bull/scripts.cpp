#include "bull/scripts.hpp"

#include <cassert>

namespace gaur::bull {

Scripts::Scripts() {
  for (const ScriptText& script : script_texts())
    scripts_.emplace(script.name, redis::Script(std::string(script.name), std::string(script.text)));
}

const redis::Script& Scripts::operator[](std::string_view name) const {
  const auto found = scripts_.find(name);
  assert(found != scripts_.end());
  return found->second;
}

}  // namespace gaur::bull
