#include "app/look/connected_hosts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gaur::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(HostsSeen, ParsesTheNameOfAHostsConnection) {
  const ConnectedHost host{.worker = "my host@1",
                           .machine = "host1:7",
                           .pid = 42,
                           .prefix = "ncs_resource::",
                           .address = "10.0.0.7:4711",
                           .db = 2};
  const std::string name = host_connection_name(host);
  for (const char c : name) EXPECT_TRUE(c > ' ' && c < 0x7F) << name;  // allowed in CLIENT SETNAME
  const std::string line = "id=3 addr=10.0.0.7:4711 laddr=h:1 fd=8 name=" + name + " age=1 db=2 sub=0\n";
  EXPECT_THAT(hosts_in(line + line), ElementsAre(host));
  EXPECT_EQ(describe(host), "my host@1 (pid 42 on host1:7, 10.0.0.7:4711)");
}

TEST(HostsSeen, IgnoresOtherClients) {
  EXPECT_THAT(
      hosts_in("id=3 addr=h:1 name=bull:bWFpbA== db=0\nid=4 addr=h:2 name= db=0\nid=5 name=gaur:old db=0\n"
               "id=6 name=gaur:a@b:0/c db=0\nid=7 name=gaur:a@b:x/c\ngarbage\n\n"),
      IsEmpty());
}

}  // namespace
}  // namespace gaur::app
