#pragma once
// The names of a queue's keys and channels, alike in Bull and BullMQ. Nothing is escaped: the base is prefix,
// colon, queue name, colon. Thread-safety: values.
#include <string>
#include <string_view>

#include "gaur/names.hpp"

namespace gaur::redis_store {

/// All keys of one queue begin with base(); own() is the base of the keys that only Gaur writes.
class Keys {
 public:
  Keys(std::string_view prefix, const QueueName& queue)
      : base_(std::string(prefix) + ":" + queue.value + ":"), own_("gaur:" + base_) {}

  const std::string& base() const { return base_; }
  const std::string& own() const { return own_; }
  std::string at(std::string_view name) const { return base_ + std::string(name); }
  std::string job(const JobId& id) const { return base_ + id.value; }

 private:
  std::string base_, own_;
};

}  // namespace gaur::redis_store
