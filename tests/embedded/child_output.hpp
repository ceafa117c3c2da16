#pragma once
// Runs a program to its end. Thread-safety: confined to the test's thread.
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "../crash/child.hpp"

namespace gaur::test {

struct ChildOutput {
  /// The exit code; negative: the signal that killed it.
  int code = -1000;
  std::string text;
};

inline ChildOutput run_child(std::vector<std::string> command) {
  ChildOutput output;
  crash::Child child(std::move(command));
  output.text = child.rest();
  output.code = child.wait().value_or(output.code);
  return output;
}

/// A program of the same build.
inline std::string program(const std::string& name) {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / name).string();
}

}  // namespace gaur::test
