// The public interface of the SDK: environment and signals of the process, and RunContext.
#include "gaur/runner.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "base/json.hpp"
#include "base/system_env.hpp"
#include "runner_sdk/session.hpp"

namespace gaur {

namespace {

std::uint64_t number_from(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? 0 : std::strtoull(text, nullptr, 10);
}

std::filesystem::path folder_from(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? "" : text;
}

bool is_open(int descriptor) {
  return ::fcntl(descriptor, F_GETFD) >= 0;
}

}  // namespace

std::uint32_t RunContext::threads() const {
  return session_.threads();
}
std::uint64_t RunContext::memory_bytes() const {
  return session_.memory_bytes();
}
const std::filesystem::path& RunContext::tmp_folder() const {
  return session_.options().tmp_folder;
}
const std::filesystem::path& RunContext::out_folder() const {
  return session_.options().out_folder;
}
bool RunContext::cancelled() const {
  return session_.cancelled();
}
std::string RunContext::cancel_message() const {
  return session_.cancel_message();
}
std::stop_token RunContext::stop_token() const {
  return session_.stop_token();
}
bool RunContext::wait(Duration time) const {
  return session_.wait(time);
}
void RunContext::progress(std::string_view json) {
  session_.progress(json);
}
void RunContext::log(std::string_view line) {
  session_.log(line);
}

int run_runner(const RunnerProgram& program) {
  runner_sdk::SessionOptions options;
  if (std::getenv("GAUR_PROTOCOL") == nullptr || !is_open(options.in) || !is_open(options.out)) {
    std::fputs(
        "this program is a Gaur runner: Gaur starts it, with frames on descriptors 3 and 4. "
        "To test it: gaur runner-check -- PROGRAM\n",
        stderr);
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);  // a write after the reader is gone returns an error
  options.threads = static_cast<std::uint32_t>(number_from("GAUR_THREADS"));
  options.memory_bytes = number_from("GAUR_MEMORY");
  options.tmp_folder = folder_from("GAUR_TMP");
  options.out_folder = folder_from("GAUR_OUT");
  options.exit = [](int code) { ::_exit(code); };
  SystemClock clock;
  return runner_sdk::Session(program, clock, std::move(options)).serve();
}

std::string json_quote(std::string_view text) {
  return json::quote(text);
}

}  // namespace gaur
