#pragma once
// Adding jobs: many in one request, which is one script: all or none. The requests of a lane are repeated
// safely. Thread-safety: that of Store.
#include "bull/shared.hpp"

namespace gaur::bull {

class AddJobs {
 public:
  explicit AddJobs(SharedPtr shared) : shared_(std::move(shared)) {}

  Async<std::vector<Added>> add(AddRequest request);

 private:
  SharedPtr shared_;
};

}  // namespace gaur::bull
