#include "app/host/signals.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdint>

namespace gaur::app {

Signals::Signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a write above the limit of the file size returns EFBIG
  signals_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  notified_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

Signals::~Signals() {
  close(signals_);
  close(notified_);
}

Signals::Event Signals::wait(Duration at_most) {
  while (true) {
    std::array<pollfd, 2> ends{pollfd{signals_, POLLIN, 0}, pollfd{notified_, POLLIN, 0}};
    const int ready = poll(ends.data(), ends.size(), static_cast<int>(at_most.count()));
    if (ready == 0) return Event::kTimeout;
    signalfd_siginfo info{};
    if (read(signals_, &info, sizeof info) == sizeof info)
      return info.ssi_signo == SIGHUP ? Event::kReload : Event::kStop;
    std::uint64_t count = 0;
    if (read(notified_, &count, sizeof count) == sizeof count) return Event::kNotified;
  }
}

void Signals::notify() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(notified_, &one, sizeof one);
}

}  // namespace gaur::app
