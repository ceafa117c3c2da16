#pragma once
// The Lua scripts of Bull's dialect (cmake/RedisScripts.cmake). Thread-safety: constants.
#include <span>

#include "redis_store/scripts.hpp"

namespace gaur::bull {

/// In alphabetical order of their verbs.
std::span<const redis_store::ScriptText> script_texts();

}  // namespace gaur::bull
