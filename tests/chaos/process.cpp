#include "chaos/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace gaur::test {

Process::Process(const std::vector<std::string>& command) {
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

}  // namespace gaur::test
