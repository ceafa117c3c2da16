#include "api/idempotency.hpp"

#include <algorithm>

#include "base/json_text.hpp"
#include "core/session_name.hpp"

namespace gaur {

namespace {

/// FNV-1a. After a collision a repeat with other jobs is not detected.
class Fnv {
 public:
  void text(std::string_view bytes) {
    number(bytes.size());
    for (const char c : bytes) byte(static_cast<unsigned char>(c));
  }
  void number(std::uint64_t value) {
    for (int i = 0; i < 8; ++i) byte(static_cast<unsigned char>(value >> (8 * i)));
  }
  std::uint64_t value() const { return hash_; }

 private:
  void byte(unsigned char c) { hash_ = (hash_ ^ c) * 0x100000001B3ULL; }
  std::uint64_t hash_ = 0xCBF29CE484222325ULL;
};

}  // namespace

std::uint64_t fingerprint(const std::vector<NewJob>& jobs) {
  Fnv hash;
  for (const NewJob& job : jobs) {
    hash.text(job.name);
    hash.text(job.data);
    hash.text(job.options.id ? job.options.id->value : "");
    hash.number(static_cast<std::uint64_t>(job.options.delay.count()));
    hash.number(job.options.priority);
    hash.number(job.options.attempts);
    hash.number(job.options.lifo ? 1 : 0);
    hash.number(static_cast<std::uint64_t>(job.options.timeout.value_or(Duration{-1}).count()));
    hash.number(static_cast<std::uint64_t>(job.options.queue_timeout.value_or(Duration{-1}).count()));
    hash.text(job.options.deduplication ? job.options.deduplication->id : "");
  }
  return hash.value();
}

OperationId operation_of(const QueueName& queue, const std::string& key) {
  return {SessionName("key/" + queue_in_session(queue) + "/" + key), 1};
}

bool same_request(const Job& stored, const NewJob& asked) {
  if (stored.name != asked.name) return false;
  if (stored.data == asked.data) return true;
  const auto one = json::parse(stored.data);
  const auto other = json::parse(asked.data);
  if (!one || !other || *one != *other) return false;
  // Equal values may result from rounding: the digits must be equal as well.
  std::string left = json::compact(stored.data);
  std::string right = json::compact(asked.data);
  std::ranges::sort(left);
  std::ranges::sort(right);
  return left == right;
}

KnownKeys::Verdict KnownKeys::check(const SessionName& session, std::uint64_t asked) {
  std::lock_guard lock(mutex_);
  if (const auto found = entries_.find(session); found != entries_.end()) {
    return found->second.fingerprint == asked ? Verdict::kSame : Verdict::kOther;
  }
  if (capacity_ == 0) return Verdict::kNew;
  if (entries_.size() >= capacity_) {
    entries_.erase(oldest_first_.front());
    oldest_first_.pop_front();
  }
  oldest_first_.push_back(session);
  entries_.emplace(session, Entry{asked, std::prev(oldest_first_.end())});
  return Verdict::kNew;
}

void KnownKeys::forget(const SessionName& session) {
  std::lock_guard lock(mutex_);
  const auto found = entries_.find(session);
  if (found == entries_.end()) return;
  oldest_first_.erase(found->second.place);
  entries_.erase(found);
}

}  // namespace gaur
