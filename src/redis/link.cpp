#include "redis/link.hpp"

#include <fmt/format.h>

#include <cmath>

#include "redis/encoder.hpp"

namespace gaur::redis {
namespace {

std::string encode_words(std::initializer_list<std::string> words) {
  const std::vector<std::string> command(words);
  return encode(command);
}

/// Redis says so before it ever looks at the command.
bool is_unknown_command(const Reply::Failure& failure) {
  return failure.text.find("unknown command") != std::string::npos;
}
/// A password was sent to a server that has none: Redis 6 and later, then 5.
bool needs_no_password(const Reply::Failure& failure) {
  return failure.text.find("without any password configured") != std::string::npos ||
         failure.text.find("no password is set") != std::string::npos;
}

}  // namespace

std::string to_text(const Endpoint& endpoint) {
  if (!endpoint.unix_path.empty()) {
    return endpoint.db == 0 ? fmt::format("redis+unix://{}", endpoint.unix_path)
                            : fmt::format("redis+unix://{}?db={}", endpoint.unix_path, endpoint.db);
  }
  const bool v6 = endpoint.host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}/{}", endpoint.tls.on ? "rediss" : "redis", v6 ? "[" : "", endpoint.host,
                     v6 ? "]" : "", endpoint.port, endpoint.db);
}

std::string shell_word(std::string_view text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+=,";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos) return std::string(text);
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

std::string cli_command(const Endpoint& endpoint) {
  std::string command = endpoint.unix_path.empty()
                            ? fmt::format("redis-cli -h {} -p {}", shell_word(endpoint.host), endpoint.port)
                            : "redis-cli -s " + shell_word(endpoint.unix_path);
  command += fmt::format(" -n {}", endpoint.db);
  const auto add = [&](std::string_view option, const std::string& value) {
    if (!value.empty()) command += fmt::format(" {} {}", option, shell_word(value));
  };
  if (endpoint.tls.on && endpoint.unix_path.empty()) {
    command += " --tls";
    add("--cacert", endpoint.tls.ca_file);
    add("--cert", endpoint.tls.cert_file);
    add("--key", endpoint.tls.key_file);
    add("--sni", endpoint.tls.server_name);
  }
  add("--user", endpoint.user);
  if (!endpoint.password.empty()) command += " --askpass";
  return command;
}

Link::Link(const ClientOptions& options, Random& random, std::string purpose)
    : options_(options), random_(random), purpose_(std::move(purpose)), parser_(options.limits) {}

void Link::start(Instant now, Actions& actions) {
  if (state_ != State::kIdle) return;
  lost_ = now;
  open(now, actions);
}

void Link::open(Instant now, Actions& actions) {
  state_ = State::kOpening;
  due_ = now + options_.connect_timeout;
  actions.open = true;
}

void Link::opened(Instant now, Actions& actions) {
  if (state_ != State::kOpening) return;
  state_ = State::kGreeting;
  parser_ = Parser(options_.limits);
  heard_ = pinged_ = now;
  writing_ = false;
  send(greet(), actions);
}

std::string Link::greet() {
  const Endpoint& at = options_.endpoint;
  greeting_.clear();
  std::string out;
  const auto step = [&](Greeting what, const std::string& bytes) {
    greeting_.push_back(what);
    out += bytes;
  };
  const std::string user = at.user.empty() ? "default" : at.user;
  if (options_.resp3 && !at.password.empty()) {
    step(Greeting::kHello, encode_words({"HELLO", "3", "AUTH", user, at.password}));
  } else if (options_.resp3) {
    step(Greeting::kHello, encode_words({"HELLO", "3"}));
  } else if (!at.password.empty() && at.user.empty()) {
    step(Greeting::kAuth, encode_words({"AUTH", at.password}));  // Redis 5 knows no users
  } else if (!at.password.empty()) {
    step(Greeting::kAuth, encode_words({"AUTH", user, at.password}));
  }
  if (!options_.client_name.empty()) {
    step(Greeting::kName, encode_words({"CLIENT", "SETNAME", options_.client_name}));
  }
  if (at.db != 0) step(Greeting::kSelect, encode_words({"SELECT", std::to_string(at.db)}));
  step(Greeting::kPing, encode_words({"PING"}));  // fails with LOADING or MASTERDOWN, which the others do not
  return out;
}

void Link::feed(std::string_view bytes, Instant now) {
  heard_ = now;
  parser_.feed(bytes);
}

std::optional<Incoming> Link::next(Instant now, Actions& actions) {
  while (state_ == State::kGreeting || state_ == State::kReady) {
    auto incoming = parser_.next();
    if (!incoming) {
      lose(std::move(incoming).error(), now, actions);
      return std::nullopt;
    }
    if (!*incoming) return std::nullopt;
    if (state_ == State::kReady) return *std::move(incoming);
    if (!(*incoming)->push) greeted((*incoming)->reply, now, actions);
  }
  return std::nullopt;
}

void Link::greeted(const Reply& reply, Instant now, Actions& actions) {
  const Greeting step = greeting_.front();
  greeting_.pop_front();
  if (const auto* failure = reply.failure()) {
    if (auto error = check_greeting(step, *failure, actions)) return lose(*std::move(error), now, actions);
  }
  if (greeting_.empty()) become_ready(now, actions);
}

/// The error that ends the connection, or nothing if the rejected step is optional.
std::optional<Error> Link::check_greeting(Greeting step, const Reply::Failure& failure, Actions& actions) {
  const std::string where = to_text(options_.endpoint);
  const auto code = failure.code();
  if (step == Greeting::kAuth && needs_no_password(failure)) {
    // ioredis continues as well, so a password that is left in the environment does not prevent a start.
    actions.notes.push_back({LogLevel::kWarn, "a password is configured, but Redis wants none"});
    return std::nullopt;
  }
  if (step == Greeting::kHello && (is_unknown_command(failure) || code == "NOPROTO")) {
    return Error{Errc::kUnsupported, fmt::format("{} does not speak RESP3: {}", where, failure.text)};
  }
  if (code == "NOAUTH") {
    return Error{Errc::kPermission, fmt::format("{} wants a password, and none is configured", where)};
  }
  if (step == Greeting::kAuth || step == Greeting::kHello) {
    if (code == "LOADING" || code == "MASTERDOWN" ||
        failure.text.find("number of clients") != std::string::npos) {
      return Error{Errc::kDisconnected, fmt::format("{}: {}", where, failure.text)};
    }
    return Error{Errc::kPermission, fmt::format("{} refuses user or password: {}", where, failure.text)};
  }
  if (code == "DENIED") return Error{Errc::kPermission, fmt::format("{}: {}", where, failure.text)};
  if (step == Greeting::kSelect) {
    const bool not_allowed = code == "NOPERM";
    return Error{
        not_allowed ? Errc::kPermission : Errc::kInvalidArgument,
        fmt::format("{}: database {} cannot be selected: {}", where, options_.endpoint.db, failure.text)};
  }
  if (code == "NOPERM") {  // an ACL without CLIENT or PING, which are both optional
    actions.notes.push_back({LogLevel::kWarn, "the Redis user may not do all that it should", failure.text});
    return std::nullopt;
  }
  if (step == Greeting::kName && code == "ERR" &&
      failure.text.find("number of clients") == std::string::npos) {
    actions.notes.push_back({LogLevel::kWarn, "Redis does not take our connection's name", failure.text});
    return std::nullopt;
  }
  return Error{Errc::kDisconnected, fmt::format("{}: {}", where, failure.text)};
}

void Link::become_ready(Instant now, Actions& actions) {
  state_ = State::kReady;
  error_.reset();
  refused_ = false;
  ++connections_;
  if (connections_ > 1 || !noted_.empty()) {
    const auto away = std::chrono::duration_cast<Duration>(now - lost_);
    actions.notes.push_back(
        {LogLevel::kInfo, fmt::format("connected to Redis again after {} ms ({})", away.count(), purpose_)});
  }
  noted_.clear();
}

void Link::lose(Error why, Instant now, Actions& actions) {
  if (state_ == State::kStopped || state_ == State::kIdle || state_ == State::kWaiting) return;
  if (state_ == State::kGreeting && why.code == Errc::kDisconnected && !options_.endpoint.tls.on &&
      parser_.untouched()) {
    why.message += " (it says nothing at all: does it want TLS, rediss://?)";
  }
  if (state_ == State::kReady) lost_ = now;
  refused_ =
      why.code == Errc::kPermission || why.code == Errc::kInvalidArgument || why.code == Errc::kUnsupported;
  note_loss(why, now, actions);
  error_ = std::move(why);
  state_ = State::kWaiting;
  writing_ = false;
  actions.close = true;
  actions.open = false;
  actions.send.clear();
  failures_ = std::min(failures_ + 1, 30U);
  const double longest =
      std::min(static_cast<double>(options_.backoff_max.count()),
               static_cast<double>(options_.backoff_min.count()) * std::exp2(failures_ - 1));
  const double wait =
      refused_ ? static_cast<double>(options_.refused_retry.count()) : longest * (0.5 + 0.5 * random_.unit());
  due_ = now + Duration(std::llround(wait));
}

void Link::note_loss(const Error& why, Instant now, Actions& actions) {
  const auto away = std::chrono::duration_cast<Duration>(now - lost_);
  if (why.message == noted_) return;
  noted_ = why.message;
  actions.notes.push_back(
      {refused_ ? LogLevel::kError : LogLevel::kWarn,
       state_ == State::kReady
           ? fmt::format("lost the connection to Redis ({})", purpose_)
           : fmt::format("cannot connect to Redis ({}), away for {} ms; trying on", purpose_, away.count()),
       why.message});
}

void Link::send(std::string bytes, Actions& actions) {
  writing_ = true;
  actions.send = std::move(bytes);
}

bool Link::ping_due(Instant now) const {
  return ready() && options_.keepalive.count() > 0 && now >= std::max(heard_, pinged_) + options_.keepalive;
}

void Link::tick(Instant now, Actions& actions) {
  if (state_ == State::kWaiting && now >= due_) return open(now, actions);
  if ((state_ == State::kOpening || state_ == State::kGreeting) && now >= due_) {
    const bool tls = state_ == State::kOpening && options_.endpoint.tls.on;
    lose({Errc::kDisconnected,
          fmt::format("{} did not answer within {} ms{}", to_text(options_.endpoint),
                      options_.connect_timeout.count(), tls ? "; does it speak TLS there?" : "")},
         now, actions);
  }
}

void Link::stop(Actions& actions) {
  state_ = State::kStopped;
  error_ = Error{Errc::kStopping, "the Redis client is stopping"};
  actions.close = true;
  actions.open = false;
  actions.send.clear();
}

std::optional<Instant> Link::wake() const {
  switch (state_) {
    case State::kOpening:
    case State::kGreeting:
    case State::kWaiting: return due_;
    case State::kReady:
      if (options_.keepalive.count() > 0) return std::max(heard_, pinged_) + options_.keepalive;
      return std::nullopt;
    default: return std::nullopt;
  }
}

}  // namespace gaur::redis
