#pragma once
// A loopback port for a server that a test starts. The port stays bound to this object, without listening:
// the kernel gives it to no other program, not even while the server is down, and a server that sets
// SO_REUSEADDR (redis-server, nginx) can listen on it.
#include <cstdint>

#include "base/fd.hpp"

namespace gaur::test {

class HeldPort {
 public:
  /// Aborts the program if there is no free port.
  HeldPort();
  std::uint16_t number() const { return number_; }

 private:
  Fd fd_;
  std::uint16_t number_ = 0;
};

}  // namespace gaur::test
