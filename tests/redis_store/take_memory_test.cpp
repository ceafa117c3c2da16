#include "redis_store/take_memory.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace gaur::redis_store {
namespace {

TEST(TakeMemory, ForgetsSessionsBeyondItsBound) {
  TakeMemory memory;
  for (int i = 0; i < 100'000; ++i)
    memory.remember_owner(SessionName(fmt::format("session-{}", i)), "worker");
  EXPECT_LE(memory.owners.size(), TakeMemory::kMostOwners);
  EXPECT_EQ(memory.owner_of("session-99999:1:0"), "worker");
  EXPECT_EQ(memory.owner_of("session-99999"), "");
}

}  // namespace
}  // namespace gaur::redis_store
