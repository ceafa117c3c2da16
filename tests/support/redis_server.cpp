#include "support/redis_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/fd.hpp"
#include "base/system_env.hpp"
#include "redis/encoder.hpp"
#include "redis/parser.hpp"

namespace gaur::test {
namespace {

namespace fs = std::filesystem;
constexpr Duration kStartDeadline{15'000};
constexpr Duration kCallDeadline{10'000};

[[noreturn]] void give_up(const std::string& what, const fs::path& log = {}) {
  std::ifstream file(log);
  const std::string said{std::istreambuf_iterator<char>(file), {}};
  std::fprintf(stderr, "redis server for tests: %s\n%s\n", what.c_str(), said.c_str());
  std::abort();
}

pid_t spawn(const std::vector<std::string>& command, const fs::path& output) {
  std::vector<char*> arguments;
  for (const auto& each : command) arguments.push_back(const_cast<char*>(each.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  const int out = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  ::dup2(out, 1);
  ::dup2(out, 2);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

void run(const std::vector<std::string>& command, const fs::path& output) {
  const pid_t pid = spawn(command, output);
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) give_up(command[0] + " failed", output);
}

/// An answer over the Unix socket, or nil.
redis::Reply ask(const std::string& path, const std::string& bytes, std::size_t replies, Duration within) {
  const Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return {};
  if (!write_all(fd.get(), bytes)) return {};
  redis::Parser parser;
  const SystemClock clock;
  const Instant end = clock.now() + within;
  while (true) {
    while (auto incoming = parser.next()) {
      if (!*incoming) break;
      if (--replies == 0) return std::move((*incoming)->reply);
    }
    const auto left = std::chrono::duration_cast<Duration>(end - clock.now()).count();
    pollfd wait{fd.get(), POLLIN, 0};
    if (left <= 0 || ::poll(&wait, 1, static_cast<int>(left)) <= 0) return {};
    char buffer[16384];
    const auto got = ::read(fd.get(), buffer, sizeof buffer);
    if (got <= 0) return {};
    parser.feed({buffer, static_cast<std::size_t>(got)});
  }
}

}  // namespace

RedisServer::RedisServer(Options options) : options_(std::move(options)) {
  auto pattern = (fs::temp_directory_path() / "gaur-redis-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) give_up("no temporary folder");
  folder_ = pattern;
  if (options_.tls) make_certificates();
  if (!options_.acl.empty()) {
    std::ofstream users(folder_ / "users.acl");
    const bool has_default = options_.acl.front().starts_with("default ");
    if (!has_default)
      users << "user default " << (options_.password.empty() ? "off" : "on >" + options_.password)
            << " ~* &* +@all\n";
    for (const auto& user : options_.acl) users << "user " << user << "\n";
  }
  if (!launch()) give_up("it does not start", folder_ / "log");
}

RedisServer::~RedisServer() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::string RedisServer::url() const {
  return "redis://" + host_ + ":" + std::to_string(port());
}

void RedisServer::make_certificates() {
  const auto file = [&](const char* name) { return folder_ / name; };
  certificates_ = {file("ca.crt"),     file("server.crt"), file("server.key"),
                   file("client.crt"), file("client.key"), file("other_ca.crt")};
  const auto make = [&](const char* name, const fs::path& certificate, const fs::path& key,
                        std::vector<std::string> more) {
    std::vector<std::string> command{"openssl",
                                     "req",
                                     "-x509",
                                     "-newkey",
                                     "ec",
                                     "-pkeyopt",
                                     "ec_paramgen_curve:prime256v1",
                                     "-nodes",
                                     "-days",
                                     "30",
                                     "-subj",
                                     std::string("/CN=") + name,
                                     "-out",
                                     certificate.string(),
                                     "-keyout",
                                     key.string()};
    command.insert(command.end(), more.begin(), more.end());
    run(command, folder_ / "openssl.log");
  };
  const fs::path ca_key = file("ca.key");
  const std::vector<std::string> signed_by{
      "-CA",     certificates_.ca.string(),   "-CAkey",  ca_key.string(),
      "-addext", "basicConstraints=CA:FALSE", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"};
  make("gaur test authority", certificates_.ca, ca_key, {});
  make("localhost", certificates_.server, certificates_.server_key, signed_by);
  make("client", certificates_.client, certificates_.client_key, signed_by);
  make("other_ca", certificates_.other_ca, file("other_ca.key"), {});
}

std::vector<std::string> RedisServer::arguments() const {
  std::vector<std::string> all{"redis-server",
                               "--bind",
                               host_,
                               "--port",
                               std::to_string(port()),
                               "--unixsocket",
                               unix_path(),
                               "--dir",
                               folder_.string(),
                               "--save",
                               "",
                               "--daemonize",
                               "no"};
  const auto add = [&](std::initializer_list<std::string> more) {
    all.insert(all.end(), more.begin(), more.end());
  };
  if (options_.appendonly) add({"--appendonly", "yes", "--appendfsync", "always"});
  if (!options_.acl.empty()) {
    add({"--aclfile", (folder_ / "users.acl").string()});
  } else if (!options_.password.empty()) {
    add({"--requirepass", options_.password});
  }
  if (options_.tls) {
    add({"--tls-port", std::to_string(tls_port()), "--tls-cert-file", certificates_.server.string(),
         "--tls-key-file", certificates_.server_key.string(), "--tls-ca-cert-file", certificates_.ca.string(),
         "--tls-auth-clients", options_.tls_client_auth ? "yes" : "no"});
  }
  all.insert(all.end(), options_.more.begin(), options_.more.end());
  return all;
}

bool RedisServer::launch() {
  std::error_code ignored;
  fs::remove(unix_path(), ignored);
  pid_ = spawn(arguments(), folder_ / "log");
  if (pid_ < 0) give_up("fork");
  if (wait_until_ready()) return true;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
  return false;
}

bool RedisServer::wait_until_ready() const {
  const SystemClock clock;
  const Instant end = clock.now() + kStartDeadline;
  while (clock.now() < end) {
    const auto reply = ask(unix_path(), "*1\r\n$4\r\nPING\r\n", 1, Duration(1'000));
    if (reply.text() != nullptr) return true;
    if (const auto* failure = reply.failure(); failure != nullptr && failure->code() != "LOADING")
      return true;
    siginfo_t ended{};
    if (::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        ended.si_pid != 0) {
      return false;
    }
    ::poll(nullptr, 0, 5);
  }
  return false;
}

void RedisServer::kill9() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void RedisServer::shutdown() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void RedisServer::restart() {
  kill9();
  if (!launch()) give_up("it does not start again", folder_ / "log");
}

void RedisServer::sigstop() {
  ::kill(pid_, SIGSTOP);
}

void RedisServer::sigcont() {
  ::kill(pid_, SIGCONT);
}

redis::Reply RedisServer::call(const std::vector<std::string>& command) const {
  std::string bytes;
  std::size_t replies = 1;
  if (!options_.password.empty()) {
    const std::vector<std::string> auth{"AUTH", options_.password};
    redis::append_command(bytes, auth);
    ++replies;
  }
  redis::append_command(bytes, command);
  const SystemClock clock;
  const Instant from = clock.now();
  auto reply = ask(unix_path(), bytes, replies, kCallDeadline);
  if (clock.now() - from >= kCallDeadline) {
    std::fprintf(stderr, "redis server for tests: no answer to %s within 10 s\n", command.front().c_str());
  }
  return reply;
}

}  // namespace gaur::test
