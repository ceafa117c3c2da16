#pragma once
// The names of Bull 4's keys and channels. Nothing is escaped: the base is prefix, colon, queue name, colon.
// Thread-safety: values.
#include <string>
#include <string_view>

#include "gaur/names.hpp"

namespace gaur::bull {

/// All keys of one queue begin with `base`; `own` begins those that are Gaur's alone and stand outside.
class Keys {
 public:
  Keys(std::string_view prefix, const QueueName& queue)
      : base_(std::string(prefix) + ":" + queue.value + ":"), own_("gaur:" + base_) {}

  const std::string& base() const { return base_; }
  const std::string& own() const { return own_; }
  std::string at(std::string_view name) const { return base_ + std::string(name); }
  std::string job(const JobId& id) const { return base_ + id.value; }
  std::string lock(const JobId& id) const { return base_ + id.value + ":lock"; }
  std::string logs(const JobId& id) const { return base_ + id.value + ":logs"; }
  std::string session(const SessionName& session) const { return own_ + "lane:" + session.value; }

 private:
  std::string base_, own_;
};

}  // namespace gaur::bull
