#pragma once
// Runs another program and reads its output: for checks at the command line, not for runners.
#include <string>
#include <vector>

#include "gaur/result.hpp"

namespace gaur::app {

struct Output {
  /// 128 + signal if a signal killed it.
  int exit_code = 0;
  /// Standard output and error, at most 1 MiB.
  std::string text;
};
/// Thread-safety: any thread; blocks until the program has ended. Errors: kIo.
Result<Output> run_program(const std::vector<std::string>& command);

}  // namespace gaur::app
