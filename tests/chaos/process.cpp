#include "chaos/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

namespace gaur::test {

Process::Process(const std::vector<std::string>& command, const std::string& log) {
  auto in = make_pipe(), out = make_pipe();
  if (!in || !out) std::abort();
  std::vector<char*> arguments;
  for (const auto& each : command) arguments.push_back(const_cast<char*>(each.c_str()));
  arguments.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(in->read.get(), 0);
    ::dup2(out->write.get(), 1);
    if (!log.empty()) ::dup2(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600), 2);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  input_ = std::move(in->write);
  output_ = std::move(out->read);
}

Process::~Process() {
  kill9();
}

void Process::say(const std::string& line) {
  (void)write_all(input_.get(), line + "\n");
}

std::optional<std::string> Process::line() {
  while (true) {
    if (const auto end = pending_.find('\n'); end != std::string::npos) {
      std::string found = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      return found;
    }
    pollfd wait{output_.get(), POLLIN, 0};
    if (::poll(&wait, 1, 30'000) <= 0) return std::nullopt;
    char buffer[4096];
    const auto got = ::read(output_.get(), buffer, sizeof buffer);
    if (got <= 0) return std::nullopt;
    pending_.append(buffer, static_cast<std::size_t>(got));
  }
}

void Process::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

void Process::kill9() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

std::vector<Descendant> descendants(pid_t ancestor) {
  std::map<pid_t, pid_t> parents;
  std::vector<Descendant> all, found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    std::ifstream file(entry.path() / "stat");
    std::string stat;
    if (!std::getline(file, stat)) continue;
    const auto open = stat.find('('), close = stat.rfind(')');
    if (open == std::string::npos || close == std::string::npos || close + 4 >= stat.size()) continue;
    const pid_t pid = std::atoi(stat.c_str());
    parents[pid] = std::atoi(stat.c_str() + close + 4);  // ") S 123"
    all.push_back({pid, stat.substr(open + 1, close - open - 1), stat[close + 2]});
  }
  for (auto& each : all) {
    pid_t at = parents[each.pid];
    while (at > 1 && at != ancestor) at = parents.contains(at) ? parents[at] : 0;
    if (at == ancestor) found.push_back(std::move(each));
  }
  return found;
}

std::vector<pid_t> below(pid_t ancestor, const std::string& name) {
  std::vector<pid_t> found;
  for (const auto& each : descendants(ancestor)) {
    if (each.name == name) found.push_back(each.pid);
  }
  return found;
}

}  // namespace gaur::test
