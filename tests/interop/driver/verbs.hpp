#pragma once
// What a request line does: one verb of the Store each. Thread-safety: run() from one thread; answers come
// on the store's executor.
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/env.hpp"
#include "core/store.hpp"
#include "gaur/client.hpp"
#include "interop/driver/request.hpp"

namespace gaur::driver {

class Verbs {
 public:
  struct Parts {
    Store& store;
    /// For waiting until a job is finished.
    Client& client;
    Random& random;
    /// Of this worker: its sessions and tokens contain it.
    std::string name;
  };
  Verbs(Parts parts, Answers& answers);
  ~Verbs();

  /// Answers at once with an error where the verb is not known.
  void run(const Request& request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gaur::driver
