#include "soak/measure.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "chaos/process.hpp"

namespace gaur::test {

ProcessFigures measure(pid_t pid) {
  ProcessFigures figures;
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);) {
    const auto value = [&](const char* key, std::uint64_t& into) {
      if (line.starts_with(key)) into = std::stoull(line.substr(line.find(':') + 1));
    };
    value("VmRSS:", figures.rss_kib);
    value("RssAnon:", figures.anonymous_kib);
    value("Threads:", figures.threads);
  }
  std::error_code ignored;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", pid), ignored))
    ++figures.descriptors;
  for (const auto& each : descendants(pid)) ++(each.state == 'Z' ? figures.zombies : figures.processes);
  return figures;
}

}  // namespace gaur::test
