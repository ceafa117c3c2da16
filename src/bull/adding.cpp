#include "bull/adding.hpp"

namespace gaur::bull {

Async<std::vector<Added>> Adding::add(AddRequest /*request*/) {
  return shared_->not_built_yet<std::vector<Added>>("add");
}

}  // namespace gaur::bull
