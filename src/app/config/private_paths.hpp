#pragma once
// The files and folders of the host itself, which runners with confined files never get. Thread-safety: reads
// files' paths only.
#include <vector>

#include "app/config/config.hpp"

namespace gaur::app {

/// Absolute, symbolic links resolved.
std::vector<PrivatePath> private_paths(const Settings& settings, const Config& config);

/// With symbolic links resolved, also a last one whose target does not exist yet.
std::filesystem::path resolved(std::filesystem::path path);

/// Whether one of two resolved paths is the other or below it.
bool overlap(const std::filesystem::path& one, const std::filesystem::path& other);

}  // namespace gaur::app
