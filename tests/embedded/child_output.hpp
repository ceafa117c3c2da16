#pragma once
// Runs a program to its end. Thread-safety: confined to the test's thread.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

extern char** environ;

namespace gaur::test {

struct ChildOutput {
  /// The exit code; negative: the signal that killed it.
  int code = -1000;
  std::string text;
};

inline ChildOutput run_child(std::vector<std::string> command) {
  ChildOutput output;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return output;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::vector<char*> argv;
  for (std::string& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t pid = -1;
  const int spawned = posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  char bytes[1 << 16];
  for (ssize_t got = 1; spawned == 0 && got > 0;) {
    got = read(ends[0], bytes, sizeof bytes);
    if (got > 0) output.text.append(bytes, static_cast<std::size_t>(got));
  }
  close(ends[0]);
  int status = 0;
  if (spawned != 0 || waitpid(pid, &status, 0) != pid) return output;
  output.code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return output;
}

/// A program of the same build.
inline std::string program(const std::string& name) {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / name).string();
}

}  // namespace gaur::test
