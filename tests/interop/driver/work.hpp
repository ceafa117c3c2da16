#pragma once
// A whole worker in the driver: the real one, over the store, with one handler for every function that does
// what the job's data says: {"ms": 5, "fail": "why", "value": ...}. Thread-safety: from one thread.
#include <memory>
#include <string>
#include <vector>

#include "base/env.hpp"
#include "core/store.hpp"
#include "interop/driver/request.hpp"

namespace gaur::driver {

class Work {
 public:
  /// {"queue", "functions": ["__default__"], "concurrency": 4, "lock": ms, "max_stalled": 1}
  Work(Store& store, std::string name, const Request& request);
  /// Requeues running jobs.
  ~Work();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gaur::driver
