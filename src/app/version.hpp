#pragma once
// The version, from the project's CMake file.
#include <string_view>

namespace gaur::app {

inline constexpr std::string_view kVersion = GAUR_VERSION;

}  // namespace gaur::app
