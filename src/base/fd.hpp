#pragma once
// A file descriptor that closes itself, and calls on descriptors.
// Thread-safety: a value; confined to its owner.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "gaur/result.hpp"

namespace gaur {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset();

 private:
  int fd_ = -1;
};

struct Pipe {
  Fd read, write;
};

/// A close-on-exec pipe. Both ends get numbers of `at_least` and above, so that a spawned child can be given
/// low numbers without one dup2 overwriting the source of the next. Errors: kIo (out of descriptors).
Result<Pipe> make_pipe(int at_least = 10);
Status set_nonblocking(int fd);
/// Writes everything, over short writes, EINTR and EAGAIN (another process made the pipe non-blocking).
/// Blocks. Errors: kIo.
Status write_all(int fd, std::string_view bytes);
/// Reads to the end of the file, over EINTR. Blocks. Errors, with `name`: kIo, kTooLarge.
Result<std::string> read_all(int fd, std::string_view name, std::uintmax_t most);
/// "what: errno's text" as kIo.
Error errno_error(std::string_view what, int error_number);

}  // namespace gaur
