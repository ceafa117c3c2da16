#pragma once
// A program under test: spoken to by lines, killed with the object. Thread-safety: confined to one thread,
// which must outlive the program.
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"

namespace gaur::test {

class Process {
 public:
  /// `log`: where its standard error goes; empty: to ours.
  explicit Process(const std::vector<std::string>& command, const std::string& log = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void say(const std::string& line);
  void end_input() { input_.reset(); }
  /// The next line of its output; nothing at its end or after 30 s.
  std::optional<std::string> line();
  void signal(int number) const;
  /// And waits for the end.
  void kill9();
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  Fd input_, output_;
  std::string pending_;
};

struct Descendant {
  pid_t pid = 0;
  /// 15 bytes, as ps shows it.
  std::string name;
  /// As in /proc: 'Z' has exited and was not waited for.
  char state = '?';
};
std::vector<Descendant> descendants(pid_t ancestor);

/// Processes of this name (15 bytes, as ps shows it) that descend from `ancestor`.
std::vector<pid_t> below(pid_t ancestor, const std::string& name);

}  // namespace gaur::test
