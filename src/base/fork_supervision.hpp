#pragma once
// Lets one process decide about each fork and each new thread of another and of all below it, through seccomp
// notifications (supervise_forks() of base/syscall_filter.hpp). Unlike RLIMIT_NPROC, which counts all
// processes of a user and does not bind root, it counts one process tree, for every user and without a
// cgroup.
#include <cstdint>
#include <optional>

#include "base/fd.hpp"

namespace gaur {

/// The next call that waits, once the descriptor is readable; nothing: its caller has died.
std::optional<std::uint64_t> next_fork(int forks);
/// Lets it continue. False: the descriptor is of no further use.
bool allow_fork(int forks, std::uint64_t call);

/// Passes a descriptor over a socket pair. The receiver does not wait; nothing: none was sent.
bool send_descriptor(int socket, int fd);
Fd receive_descriptor(int socket);

}  // namespace gaur
