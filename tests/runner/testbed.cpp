// A runner that misbehaves on demand. It links no library of Gaur: it is the same under sanitizers, and a bug
// in the codec cannot hide itself. The function of a job selects the behaviour:
//   echo, sleep (data.ms), ignore_all (ignores cancel and SIGTERM), eat (data.mb resident, then waits), grow
//   (without end), refused (allocates data.mb at once, aborts when refused), crash, report_and_crash
//   (writes to stderr and crashes), exit (data.code), orphans (forks grandchildren that leave the session,
//   then sleeps), broken, wrong_run, mute (closes fd 4), file, link, progress (data.count), logs, spin (CPU
//   for data.ms), talk (stdout and stderr), environment, large (data.mb of result), flood (progress without
//   end)
// Arguments: --never-ready, --exit-before-ready, --ready-then-exit, --ready-unless FILE, --garbage, --old
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

namespace {

std::string buffered;

void say(const std::string& line) {
  std::string left = line + "\n";
  while (!left.empty()) {
    const ssize_t written = ::write(4, left.data(), left.size());
    if (written <= 0) ::_exit(0);
    left.erase(0, static_cast<std::size_t>(written));
  }
}

/// The next line from fd 3, or "" after `timeout_ms`; exits at end of file.
std::string next_line(int timeout_ms) {
  while (true) {
    const std::size_t newline = buffered.find('\n');
    if (newline != std::string::npos) {
      std::string line = buffered.substr(0, newline);
      buffered.erase(0, newline + 1);
      return line;
    }
    pollfd input{3, POLLIN, 0};
    const int ready = ::poll(&input, 1, timeout_ms);
    if (ready == 0) return "";
    if (ready < 0) continue;
    char block[65536];
    const ssize_t got = ::read(3, block, sizeof block);
    if (got <= 0) ::_exit(0);
    buffered.append(block, static_cast<std::size_t>(got));
  }
}

std::string text(const std::string& frame, const char* key) {
  const std::string mark = std::string("\"") + key + "\":\"";
  const std::size_t at = frame.find(mark);
  if (at == std::string::npos) return "";
  const std::size_t begin = at + mark.size();
  return frame.substr(begin, frame.find('"', begin) - begin);
}

long number(const std::string& frame, const char* key) {
  const std::string mark = std::string("\"") + key + "\":";
  const std::size_t at = frame.find(mark);
  return at == std::string::npos ? 0 : std::atol(frame.c_str() + at + mark.size());
}

std::string data_of(const std::string& frame) {
  const std::size_t at = frame.find("\"data\":");
  return frame.substr(at + 7, frame.size() - at - 8);
}

void pause_ms(int ms) {
  ::poll(nullptr, 0, ms);
}

void complete(const std::string& run, const std::string& result, const std::string& more = "") {
  say("{\"type\":\"completed\",\"run\":\"" + run + "\",\"result\":" + result + more + "}");
}

/// Returns false if cancelled. A frame of another type restarts the wait.
bool wait_for_cancel(long ms) {
  while (true) {
    const std::string line = next_line(static_cast<int>(ms));
    if (line.empty()) return true;
    if (text(line, "type") == "cancel") return false;
    if (text(line, "type") == "stop") ::_exit(0);
  }
}

void sleep_then_answer(const std::string& run, long ms) {
  if (wait_for_cancel(ms)) {
    complete(run, "\"slept\"");
  } else {
    say("{\"type\":\"failed\",\"run\":\"" + run + "\",\"message\":\"interrupted\",\"code\":\"interrupted\"}");
  }
}

char* take_memory(std::size_t bytes) {
  char* memory = static_cast<char*>(std::malloc(bytes));
  if (memory == nullptr) std::abort();
  for (std::size_t at = 0; at < bytes; at += 4096) memory[at] = 1;
  return memory;
}

/// Two generations down, in a session of its own: killing the process group does not reach it.
void leave_orphans() {
  for (int i = 0; i < 3; ++i) {
    const pid_t child = ::fork();
    if (child > 0) ::waitpid(child, nullptr, 0);
    if (child == 0) {
      ::setsid();
      if (::fork() != 0) ::_exit(0);
      ::signal(SIGTERM, SIG_IGN);
      for (int fd = 0; fd < 64; ++fd) ::close(fd);
      while (true) pause_ms(1000);
    }
  }
}

void write_file(const std::string& name, std::size_t bytes) {
  FILE* file = std::fopen((std::string(std::getenv("GAUR_OUT")) + "/" + name).c_str(), "w");
  for (std::size_t i = 0; i < bytes; ++i) std::fputc('x', file);
  std::fclose(file);
}

void spin(long ms) {
  const clock_t until = std::clock() + ms * (CLOCKS_PER_SEC / 1000);
  while (std::clock() < until) {
  }
}

void misbehave(const std::string& function, const std::string& frame, const std::string& run) {
  if (function == "ignore_all") {
    ::signal(SIGTERM, SIG_IGN);
    while (true) pause_ms(1000);
  } else if (function == "grow") {
    while (true) {
      take_memory(4 << 20);
      pause_ms(10);
    }
  } else if (function == "refused") {
    std::free(take_memory(static_cast<std::size_t>(number(frame, "mb")) << 20));
    complete(run, "\"got it\"");
  } else if (function == "crash") {
    ::raise(SIGSEGV);
  } else if (function == "report_and_crash") {
    std::fprintf(stderr, "starting\n\x1b[31mfatal: \xed\x95 out of\tluck\x1b[0m\n");
    ::raise(SIGSEGV);
  } else if (function == "exit") {
    ::_exit(static_cast<int>(number(frame, "code")));
  } else if (function == "broken") {
    say("this is not JSON");
  } else if (function == "wrong_run") {
    complete("another", "1");
  } else if (function == "mute") {
    ::close(4);
    while (true) pause_ms(1000);
  } else if (function == "flood") {
    while (true) say("{\"type\":\"progress\",\"run\":\"" + run + "\",\"value\":1}");
  }
}

void serve(const std::string& frame) {
  const std::string run = text(frame, "run");
  const std::string function = text(frame, "function");
  if (function == "echo") {
    complete(run, data_of(frame), ",\"usage\":{\"cpu_us\":7,\"details\":{\"rows\":3}}");
  } else if (function == "sleep") {
    sleep_then_answer(run, number(frame, "ms"));
  } else if (function == "orphans") {
    leave_orphans();
    say("{\"type\":\"progress\",\"run\":\"" + run + "\",\"value\":\"left\"}");
    sleep_then_answer(run, number(frame, "ms"));
  } else if (function == "eat") {
    char* memory = take_memory(static_cast<std::size_t>(number(frame, "mb")) << 20);
    if (number(frame, "ms") > 0) wait_for_cancel(number(frame, "ms"));
    if (number(frame, "keep") == 0) std::free(memory);
    complete(run, "\"ate\"");
  } else if (function == "file" || function == "link") {
    if (function == "file") write_file("r1.csv", 12345);
    if (function == "link" &&
        ::symlink("/etc/passwd", (std::string(std::getenv("GAUR_OUT")) + "/r1.csv").c_str()) != 0)
      ::_exit(9);
    complete(run, "{\"rows\":8}", ",\"file\":{\"name\":\"r1.csv\",\"format\":\"csv\",\"rows\":8}");
  } else if (function == "progress") {
    const long count = number(frame, "count");
    for (long i = 1; i <= count; ++i)
      say("{\"type\":\"progress\",\"run\":\"" + run + "\",\"value\":" + std::to_string(i) + "}");
    complete(run, "null");
  } else if (function == "logs") {
    say("{\"type\":\"log\",\"run\":\"" + run + "\",\"line\":\"first\"}");
    say("{\"type\":\"log\",\"run\":\"" + run + "\",\"line\":\"second\"}");
    say("{\"type\":\"snooze\",\"run\":\"" + run + "\",\"delay_ms\":5000,\"message\":\"not now\"}");
  } else if (function == "spin") {
    spin(number(frame, "ms"));
    complete(run, "null");
  } else if (function == "talk") {
    std::fputs("hello\nsecond line\n", stdout);
    std::fflush(stdout);
    std::fputs("to stderr\n", stderr);
    complete(run, "null");
  } else if (function == "large") {
    complete(run, "\"" + std::string(static_cast<std::size_t>(number(frame, "mb")) << 20, 'x') + "\"");
  } else if (function == "environment") {
    const char* secret = std::getenv("GAUR_TEST_SECRET");
    const char* given = std::getenv("GIVEN");
    rlimit core{};
    ::getrlimit(RLIMIT_CORE, &core);
    std::string open;
    for (int fd = 5; fd < 256; ++fd) {
      if (::fcntl(fd, F_GETFD) >= 0) open += std::to_string(fd) + " ";
    }
    complete(run, std::string("{\"secret\":\"") + (secret ? secret : "") + "\",\"given\":\"" +
                      (given ? given : "") + "\",\"pool\":\"" + std::getenv("GAUR_POOL") +
                      "\",\"core\":" + std::to_string(core.rlim_cur) + ",\"open\":\"" + open + "\"}");
  } else {
    misbehave(function, frame, run);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "--never-ready") ::pause();
  if (mode == "--exit-before-ready") return 3;
  if (mode == "--ready-unless" && ::access(argv[2], F_OK) == 0) return 4;
  if (mode == "--garbage") say("ready, I think");
  say(std::string("{\"type\":\"ready\",\"protocol\":") + (mode == "--old" ? "0" : "1") +
      ",\"name\":\"testbed\"}");
  if (mode == "--ready-then-exit") return 0;
  while (true) {
    const std::string frame = next_line(-1);
    if (text(frame, "type") == "run") serve(frame);
    if (text(frame, "type") == "stop") return 0;
  }
}
