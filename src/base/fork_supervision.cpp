#include "base/fork_supervision.hpp"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace gaur {
namespace {

union ControlMessage {
  cmsghdr header;
  std::array<char, CMSG_SPACE(sizeof(int))> space;
};

msghdr message_of(iovec& content, ControlMessage& control) {
  msghdr message{};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  message.msg_control = control.space.data();
  message.msg_controllen = control.space.size();
  return message;
}

}  // namespace

std::optional<std::uint64_t> next_fork(int forks) {
  // The kernel may know longer structures than the headers.
  union {
    seccomp_notif call;
    std::array<char, 1024> space;
  } buffer;
  std::memset(&buffer, 0, sizeof buffer);
  if (::ioctl(forks, SECCOMP_IOCTL_NOTIF_RECV, &buffer.call) != 0) return std::nullopt;
  return buffer.call.id;
}

bool allow_fork(int forks, std::uint64_t call) {
  union {
    seccomp_notif_resp answer;
    std::array<char, 1024> space;
  } buffer;
  std::memset(&buffer, 0, sizeof buffer);
  buffer.answer.id = call;
  buffer.answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  // ENOENT: the caller has died.
  return ::ioctl(forks, SECCOMP_IOCTL_NOTIF_SEND, &buffer.answer) == 0 || errno == ENOENT;
}

bool send_descriptor(int socket, int fd) {
  char byte = 0;
  iovec content{&byte, 1};
  ControlMessage control{};
  const msghdr message = message_of(content, control);
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  control.header.cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
  return ::sendmsg(socket, &message, MSG_NOSIGNAL) == 1;
}

Fd receive_descriptor(int socket) {
  char byte = 0;
  iovec content{&byte, 1};
  ControlMessage control{};
  msghdr message = message_of(content, control);
  if (::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1) return Fd();
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return Fd();
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return Fd(fd);
}

}  // namespace gaur
