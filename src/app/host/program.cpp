#include "app/host/program.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

extern char** environ;

namespace gaur::app {
namespace {

std::string read_all(int descriptor) {
  constexpr std::size_t kMost = 1 << 20;
  std::string text;
  std::array<char, 4096> chunk{};
  while (true) {
    const ssize_t got = read(descriptor, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    if (text.size() < kMost) text.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

int exit_code(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Result<Output> run_program(const std::vector<std::string>& command) {
  std::array<int, 2> pipe_ends{};
  if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0)
    return Error{Errc::kIo, fmt::format("pipe: {}", std::strerror(errno))};
  std::vector<char*> argv;
  for (const std::string& argument : command) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDERR_FILENO);
  pid_t child = 0;
  const int failed = posix_spawnp(&child, argv.front(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(pipe_ends[1]);
  Output output;
  if (failed == 0) {
    output.text = read_all(pipe_ends[0]);
    output.exit_code = exit_code(child);
  }
  close(pipe_ends[0]);
  if (failed != 0)
    return Error{Errc::kIo, fmt::format("cannot start {}: {}", command.front(), std::strerror(failed))};
  return output;
}

}  // namespace gaur::app
