#pragma once
// Adds jobs. Each request is one script, so that all of its jobs are added or none; the requests of a session
// can be repeated safely. Thread-safety: that of Store.
#include "redis_store/store_context.hpp"

namespace gaur::redis_store {

class AddJobs {
 public:
  explicit AddJobs(ContextPtr context) : context_(std::move(context)) {}

  Async<std::vector<Added>> add(AddRequest request);

 private:
  ContextPtr context_;
};

}  // namespace gaur::redis_store
