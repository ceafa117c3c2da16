#include "bull/shared.hpp"

#include <algorithm>
#include <charconv>

#include "bull/gather.hpp"

namespace gaur::bull {

redis::Answer<redis::Reply> Shared::run(std::string_view script, const QueueName& queue,
                                        std::vector<std::string> arguments) {
  if (!open) return ready(Result<redis::Reply>(Error{Errc::kStopping, "the store was closed"}));
  const Keys names = keys(queue);
  arguments.insert(arguments.begin(), now());
  if (gate.passed(queue))
    return client.run(scripts[script], {names.base(), names.own()}, std::move(arguments));
  Promise<Result<redis::Reply>> promise;
  auto future = promise.future();
  gate.wait(queue, [self = shared_from_this(), promise, script, names,
                    arguments = std::move(arguments)](const Status& use) mutable {
    if (!use) return promise.set(use.error());
    if (!self->open) return promise.set(Error{Errc::kStopping, "the store was closed"});
    self->client.run(self->scripts[script], {names.base(), names.own()}, std::move(arguments))
        .then([promise](Result<redis::Reply> reply) { promise.set(std::move(reply)); });
  });
  return future;
}

namespace {

/// A command or script that the user may not run, or may not run on these keys or channels. What a script is
/// refused comes as an error of the script in Redis before 7.
bool is_not_permitted(const redis::Reply::Failure& failure) {
  return failure.code() == "NOPERM" || failure.text.find("ACL failure in script") != std::string::npos ||
         failure.text.find("The user executing the script") != std::string::npos;
}

/// The rule that the user lacks, as far as Redis says it.
std::string acl_advice(const redis::Reply::Failure& failure) {
  const std::string& text = failure.text;
  const auto begin = text.find("the '");
  const auto end = text.find('\'', begin == std::string::npos ? begin : begin + 5);
  if (end != std::string::npos)
    return "; add +" + text.substr(begin + 5, end - begin - 5) + " to the user's ACL";
  if (text.find("channel") != std::string::npos)
    return "; add &PREFIX:* and &gaur:PREFIX:* to the user's ACL";
  if (text.find("key") != std::string::npos) return "; add ~PREFIX:* and ~gaur:PREFIX:* to the user's ACL";
  return "; docs/how-to/redis.md has the rules that the user needs";
}

}  // namespace

Error error_of(const redis::Reply::Failure& failure) {
  const std::string_view code = failure.code();
  const std::string text = "redis: " + failure.text;
  if (code == "OOM" || code == "MISCONF") return {Errc::kStoreFull, text};
  if (is_not_permitted(failure)) return {Errc::kPermission, text + acl_advice(failure)};
  if (code == "NOAUTH" || code == "WRONGPASS") return {Errc::kPermission, text};
  for (const std::string_view passing :
       {"LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "BUSY", "TRYAGAIN"}) {
    if (code == passing) return {Errc::kDisconnected, text};
  }
  // Redis before 7 passes on what a script failed with inside a sentence of its own.
  if (failure.text.find("WRONGTYPE") != std::string::npos) return {Errc::kCorrupt, text};
  return {Errc::kInternal, text};
}

Result<redis::Reply> checked(Result<redis::Reply> reply) {
  if (reply && reply->failure() != nullptr) return error_of(*reply->failure());
  return reply;
}

std::string text_of(const redis::Reply& reply) {
  if (const std::string* text = reply.text()) return *text;
  if (const std::int64_t* number = reply.integer()) return std::to_string(*number);
  return {};
}

std::int64_t integer_of(const redis::Reply& reply) {
  if (const std::int64_t* number = reply.integer()) return *number;
  std::int64_t value = 0;
  if (const std::string* text = reply.text())
    std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

const redis::Reply::Array& array_of(const redis::Reply& reply) {
  static const redis::Reply::Array kNone;
  const redis::Reply::Array* array = reply.array();
  return array == nullptr ? kNone : *array;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

Status check_lane(const SessionName& session) {
  if (session.value.size() > 512) return Error{Errc::kInvalidArgument, "lane: at most 512 bytes"};
  const bool bad = std::any_of(session.value.begin(), session.value.end(),
                               [](unsigned char c) { return c == '@' || c < 0x20 || c == 0x7F; });
  if (bad) return Error{Errc::kInvalidArgument, "lane: must hold no @ and no control character"};
  return ok();
}

Error stale_operation(const OperationId& op, std::string_view last) {
  return {Errc::kInvalidArgument, "lane " + op.session.value + ": operation number went back from " +
                                      std::string(last) + " to " + std::to_string(op.sequence)};
}

Error malformed(std::string_view script) {
  return {Errc::kCorrupt,
          "the answer of script " + std::string(script) + " has another shape than it must have"};
}

}  // namespace gaur::bull
