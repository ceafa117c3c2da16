#pragma once
// A child process and the read end of its standard output. The destructor kills the child and waits for it.
// Thread-safety: confined to the test's thread.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <string>
#include <utility>
#include <vector>

extern char** environ;

namespace gaur::crash {

class Child {
 public:
  explicit Child(std::vector<std::string> command) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return;
    out_ = ends[0];
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    std::vector<char*> argv;
    for (std::string& word : command) argv.push_back(word.data());
    argv.push_back(nullptr);
    if (posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ) != 0) pid_ = -1;
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
  }
  ~Child() {
    kill();
    if (out_ >= 0) close(out_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  bool started() const { return pid_ > 0; }

  /// All that it still writes.
  std::string rest() {
    while (read_more()) {
    }
    return buffer_.substr(at_);
  }
  /// Waits for its end. The exit code, or the negative number of the signal that killed it; nothing if it was
  /// not started.
  std::optional<int> wait() {
    if (pid_ <= 0 || waitpid(std::exchange(pid_, -1), &status_, 0) <= 0) return std::nullopt;
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : -WTERMSIG(status_);
  }

  /// The next complete line, or nothing once the child has closed its end. Drops a line that the kill
  /// truncated.
  std::optional<std::string> line() {
    while (true) {
      const std::size_t end = buffer_.find('\n', at_);
      if (end != std::string::npos) {
        std::string found = buffer_.substr(at_, end - at_);
        at_ = end + 1;
        return found;
      }
      buffer_.erase(0, at_);
      at_ = 0;
      if (!read_more()) return std::nullopt;
    }
  }

  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, &status_, 0);
    pid_ = -1;
  }
  bool was_killed() const { return WIFSIGNALED(status_) && WTERMSIG(status_) == SIGKILL; }

 private:
  bool read_more() {
    char bytes[1 << 16];
    const ssize_t got = read(out_, bytes, sizeof bytes);
    if (got > 0) buffer_.append(bytes, static_cast<std::size_t>(got));
    return got > 0;
  }

  pid_t pid_ = -1;
  int out_ = -1;
  int status_ = 0;
  std::string buffer_;
  std::size_t at_ = 0;
};

}  // namespace gaur::crash
