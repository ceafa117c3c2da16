// Servers that send mutated bytes, in any state of both machines. Seeded and bounded, so that it runs in
// every build and a failure can be reproduced.
#include <gtest/gtest.h>

#include "machine_fixture.hpp"

namespace gaur::redis {
namespace {

const std::string kScraps[] = {
    "+OK\r\n",
    "+PONG\r\n",
    ":1\r\n",
    "$3\r\nabc\r\n",
    "$-1\r\n",
    "*2\r\n:1\r\n$1\r\nx\r\n",
    "-NOSCRIPT No matching script.\r\n",
    "-READONLY You can't write against a read only replica.\r\n",
    "-LOADING Redis is loading the dataset in memory\r\n",
    "-NOAUTH Authentication required.\r\n",
    ">2\r\n+invalidate\r\n*0\r\n",
    "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$5\r\nhello\r\n",
    "*4\r\n$8\r\npmessage\r\n$2\r\np*\r\n$2\r\npx\r\n$1\r\nm\r\n",
    "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n",
    "*3\r\n$10\r\npsubscribe\r\n$2\r\np*\r\n:2\r\n",
    "*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n",
    "*2\r\n$4\r\npong\r\n$0\r\n\r\n",
    "*1\r\n*1\r\n*1\r\n*0\r\n",
    "*-7\r\n",
    "$99999999999\r\n",
    "%1\r\n+a\r\n:1\r\n",
    "|1\r\n+ttl\r\n:3\r\n",
};

std::string nonsense(SeededRandom& random) {
  std::string bytes;
  for (auto pieces = 1 + random.below(4); pieces > 0; --pieces)
    bytes += kScraps[random.below(std::size(kScraps))];
  for (auto mutations = random.below(3); mutations > 0 && !bytes.empty(); --mutations) {
    const std::size_t at = random.below(bytes.size());
    if (random.below(2) == 0) {
      bytes[at] = static_cast<char>(random.next());
    } else {
      bytes.erase(at, 1 + random.below(4));
    }
  }
  return bytes;
}

template <class Fixture>
void connect_where_asked(Fixture& rig) {
  if (rig.machine.link().state() != Link::State::kOpening) return;
  rig.on(event::Opened{});
  rig.written();
}

TEST(Hostile, mutated_bytes_complete_every_command_once) {
  const Script script("s", "return 1");
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    ClientOptions options;
    options.limits = {.depth = 4, .elements = 100, .bytes = 1'000, .line = 100};
    options.resp3 = seed % 2 == 0;
    Commands rig(options);
    SeededRandom random(seed);
    std::vector<Future<Result<Reply>>> ones;
    std::vector<Future<Result<std::vector<Reply>>>> several;
    rig.on(event::Start{});
    for (int step = 0; step < 150; ++step) {
      connect_where_asked(rig);
      switch (random.below(6)) {
        case 0: ones.push_back(rig.call({"GET", "k"})); break;
        case 1: ones.push_back(rig.run(script, "k")); break;
        case 2: several.push_back(rig.pipeline({{"A"}, {"B"}, {"C"}})); break;
        case 3: rig.pass(Duration{random.below(3'000)}); break;
        default:
          if (rig.writing) rig.written();
          rig.receive(nonsense(random));
      }
    }
    // However it was treated: with a good server it works again.
    for (int attempt = 0; attempt < 20 && !rig.machine.ready(); ++attempt) {
      rig.pass(Duration{6'000});
      if (rig.machine.link().state() != Link::State::kOpening) continue;
      rig.greet(options.resp3 ? "%1\r\n+proto\r\n:3\r\n+OK\r\n+PONG\r\n" : "+OK\r\n+PONG\r\n");
    }
    EXPECT_TRUE(rig.machine.ready()) << "seed " << seed;
    rig.on(event::Stop{});
    for (auto& each : ones) ASSERT_TRUE(each.ready()) << "seed " << seed;
    for (auto& each : several) ASSERT_TRUE(each.ready()) << "seed " << seed;
  }
}

TEST(Hostile, mutated_bytes_report_each_state_of_a_listener_once) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    ClientOptions options;
    options.limits = {.depth = 4, .elements = 100, .bytes = 1'000, .line = 100};
    MachineRig<ListenMachine> rig(options);
    SeededRandom random(seed);
    std::map<std::uint64_t, bool> reported;
    std::uint64_t last = 0;
    std::size_t seen = 0;
    for (int step = 0; step < 150; ++step) {
      connect_where_asked(rig);
      switch (random.below(6)) {
        case 0: rig.on(event::Listen{++last, {"a"}, {"p*"}}); break;
        case 1: rig.on(event::Unlisten{1 + random.below(last + 1)}); break;
        case 2: rig.pass(Duration{random.below(3'000)}); break;
        default:
          if (rig.writing) rig.written();
          rig.receive(nonsense(random));
      }
      for (; seen < rig.listening.size(); ++seen) {
        const auto& [id, now] = rig.listening[seen];
        EXPECT_NE(reported[id], now) << "the same state was reported twice, seed " << seed;
        reported[id] = now;
      }
      for (const auto& [id, message] : rig.messages) EXPECT_LE(id, last);
    }
  }
}

}  // namespace
}  // namespace gaur::redis
