#include "redis/command_machine.hpp"

#include <fmt/format.h>

#include "redis/encoder.hpp"

namespace gaur::redis {
namespace {

constexpr std::size_t kChunk = 256U << 10U;  // bytes per write, plus at most one request

bool says_not_here(const Reply& reply) {
  const auto* failure = reply.failure();
  if (failure == nullptr) return false;
  const auto code = failure->code();
  if (code == "READONLY" || code == "LOADING" || code == "MASTERDOWN" || code == "CLUSTERDOWN") return true;
  // Before Redis 7 a script's error hides the error of its command.
  return code == "ERR" && failure->text.find("-READONLY") != std::string::npos;
}

std::string reason_of(const Reply::Failure& failure) {
  if (failure.text.find("READONLY") != std::string::npos) return fmt::format("READONLY: {}", kReplicaAdvice);
  return fmt::format("Redis answers {}", failure.text);
}

void append_request(std::string& out, Request& request) {
  if (!request.script) {
    if (out.empty() && request.bytes.size() > kChunk) {
      out = std::move(request.bytes);
    } else {
      out += request.bytes;
    }
    request.bytes = std::string();
    return;
  }
  append_header(out, 2 + request.script_arguments);
  append_argument(out, request.as_text ? "EVAL" : "EVALSHA");
  append_argument(out, request.as_text ? request.script->text() : request.script->sha1());
  out += request.bytes;  // kept: the server may not know the script
}

void finish(Request& request, Result<Reply> answer, Actions& actions) {
  if (request.given_up) return;
  request.given_up = true;
  if (std::holds_alternative<std::monostate>(request.to)) return;
  actions.finished.push_back({std::move(request.to), std::move(answer), std::move(request.answers)});
}

}  // namespace

void Finished::deliver() {
  if (auto* one = std::get_if<Request::One>(&to)) {
    one->set(std::move(answer));
  } else if (auto* many = std::get_if<Request::Many>(&to)) {
    if (answer) {
      many->set(std::move(answers));
    } else {
      many->set(std::move(answer).error());
    }
  }
}

Actions CommandMachine::resume(Event event, Instant now) {
  Actions actions;
  std::visit([&](auto& each) { on(std::move(each), now, actions); }, event);
  if (link_.state() == Link::State::kWaiting || link_.state() == Link::State::kStopped) after_loss(actions);
  flush(now, actions);
  actions.wake = wake();
  return actions;
}

void CommandMachine::after_loss(Actions& actions) {
  const Error& why = *link_.error();
  const bool stopped = why.code == Errc::kStopping;
  for (auto& request : in_flight_) {
    finish(request,
           Error{stopped ? Errc::kStopping : Errc::kDisconnected,
                 fmt::format("the connection was lost before the answer came: {}", why.message)},
           actions);
  }
  in_flight_.clear();
  expired_ = 0;
  requeue_scripts();
  draining_ = false;
  // Requests that were not sent wait, unless a retry is useless or waiting is disabled.
  if (!stopped && !link_.refused() && options_.away == Away::kQueue) return;
  for (auto& request : unsent_) finish(request, why, actions);
  unsent_.clear();
  unsent_bytes_ = 0;
}

void CommandMachine::on(event::Submit submit, Instant now, Actions& actions) {
  const bool away = !link_.ready() && link_.tried();
  const bool refuse = link_.state() == Link::State::kStopped ||
                      (away && (link_.refused() || options_.away == Away::kFailFast));
  for (auto& request : submit.requests) {
    if (refuse) {
      finish(request, *link_.error(), actions);
      continue;
    }
    request.deadline = now + options_.command_timeout;
    unsent_bytes_ += request.size();
    unsent_.push_back(std::move(request));
  }
}

void CommandMachine::flush(Instant now, Actions& actions) {
  if (!link_.can_send() || draining_ || unsent_.empty()) return;
  std::string out;
  while (!unsent_.empty() && out.size() < kChunk) {
    Request& request = unsent_.front();
    unsent_bytes_ -= request.size();
    append_request(out, request);
    request.sent = now;
    in_flight_.push_back(std::move(request));
    unsent_.pop_front();
  }
  link_.send(std::move(out), actions);
}

void CommandMachine::on(event::Received received, Instant now, Actions& actions) {
  link_.feed(received.bytes, now);
  while (auto incoming = link_.next(now, actions)) {
    if (incoming->push) continue;  // not a reply
    if (in_flight_.empty()) {
      return link_.lose({Errc::kCorrupt, "the server sent a reply without a request"}, now, actions);
    }
    answer(std::move(incoming->reply), actions);
  }
  requeue_scripts();
  if (draining_ && in_flight_.empty() && link_.ready()) link_.lose(drain_why_, now, actions);
}

void CommandMachine::answer(Reply reply, Actions& actions) {
  Request& request = in_flight_.front();
  if (says_not_here(reply)) {
    draining_ = true;
    drain_why_ = Error{Errc::kDisconnected, reason_of(*reply.failure())};
    finish(request, drain_why_, actions);
  }
  if (request.script && reply.failure() != nullptr && reply.failure()->code() == "NOSCRIPT" &&
      !request.given_up && !request.as_text) {
    retry_script(std::move(request));
    pop_answered();
    return;
  }
  if (request.replies == 1 && !std::holds_alternative<Request::Many>(request.to)) {
    if (!draining_) link_.proven();
    finish(request, std::move(reply), actions);
    pop_answered();
    return;
  }
  if (!request.given_up) request.answers.push_back(std::move(reply));
  if (--request.replies != 0) return;
  if (!draining_) link_.proven();
  finish(request, Reply{}, actions);
  pop_answered();
}

void CommandMachine::pop_answered() {
  in_flight_.pop_front();
  if (expired_ > 0) --expired_;
}

/// The first rejected request is sent with the text, which loads the script for the next ones. Another client
/// may flush the scripts in between: after a second rejection each request is sent with the text.
void CommandMachine::retry_script(Request request) {
  ++request.refusals;
  const auto carries = [&](const Request& other) { return other.as_text && other.script == request.script; };
  request.as_text = request.refusals > 1 || (std::none_of(again_.begin(), again_.end(), carries) &&
                                             std::none_of(in_flight_.begin(), in_flight_.end(), carries));
  again_.push_back(std::move(request));
}

void CommandMachine::requeue_scripts() {
  for (auto each = again_.rbegin(); each != again_.rend(); ++each) {
    unsent_bytes_ += each->size();
    unsent_.push_front(std::move(*each));
  }
  again_.clear();
}

void CommandMachine::on(event::Tick, Instant now, Actions& actions) {
  link_.tick(now, actions);
  expire(now, actions);
  check_silence(now, actions);
  if (link_.ping_due(now) && !draining_) {
    link_.pinged(now);
    Request ping;
    const std::vector<std::string> words{"PING"};
    ping.bytes = encode(words);
    ping.deadline = now + options_.command_timeout;
    unsent_bytes_ += ping.size();
    unsent_.push_front(std::move(ping));
  }
}

Error CommandMachine::overdue(bool sent) const {
  const auto wait = options_.command_timeout.count();
  const std::string where = to_text(options_.endpoint);
  if (sent) {
    return {
        Errc::kTimeout,
        fmt::format("{} did not answer within {} ms; the command may have been carried out", where, wait)};
  }
  if (link_.ready()) {
    return {Errc::kTimeout, fmt::format("{} took no command for {} ms; it was not sent", where, wait)};
  }
  return {Errc::kDisconnected,
          fmt::format("no connection to {} within {} ms; the command was not sent{}{}", where, wait,
                      link_.error() ? ": " : "", link_.error() ? link_.error()->message : "")};
}

void CommandMachine::expire(Instant now, Actions& actions) {
  while (expired_ < in_flight_.size() && now >= in_flight_[expired_].deadline) {
    finish(in_flight_[expired_++], overdue(true),
           actions);  // it stays in order for the late reply
  }
  while (!unsent_.empty() && now >= unsent_.front().deadline) {
    unsent_bytes_ -= unsent_.front().size();
    finish(unsent_.front(), overdue(false), actions);
    unsent_.pop_front();
  }
}

void CommandMachine::check_silence(Instant now, Actions& actions) {
  if (!link_.ready() || in_flight_.empty()) return;
  if (now < std::max(link_.heard(), in_flight_.front().sent) + options_.silence_timeout) return;
  link_.lose({Errc::kDisconnected, fmt::format("{} said nothing for {} ms", to_text(options_.endpoint),
                                               options_.silence_timeout.count())},
             now, actions);
}

void CommandMachine::on(event::Stop, Instant, Actions& actions) {
  link_.stop(actions);
}

std::optional<Instant> CommandMachine::wake() const {
  std::optional<Instant> first = link_.wake();
  const auto consider = [&](Instant when) {
    if (!first || when < *first) first = when;
  };
  // A script that is sent a second time follows requests with later deadlines: its own is reported late, by
  // at most a round trip, or by their deadlines if the server is silent.
  if (!unsent_.empty()) consider(unsent_.front().deadline);
  if (expired_ < in_flight_.size()) consider(in_flight_[expired_].deadline);
  if (!in_flight_.empty() && link_.ready()) {
    consider(std::max(link_.heard(), in_flight_.front().sent) + options_.silence_timeout);
  }
  return first;
}

}  // namespace gaur::redis
