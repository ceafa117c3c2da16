#include "redis/listen_machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "machine_fixture.hpp"

namespace gaur::redis {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

struct Messages : MachineRig<ListenMachine> {
  using MachineRig::MachineRig;
  std::string listen(std::uint64_t id, std::vector<std::string> channels,
                     std::vector<std::string> patterns = {}) {
    return on(event::Listen{id, std::move(channels), std::move(patterns)});
  }
  std::string greet() {
    on(event::Opened{});
    written();
    return receive("+OK\r\n+PONG\r\n");
  }
  std::vector<std::string> heard() {
    std::vector<std::string> all;
    for (const auto& [id, message] : messages) {
      all.push_back(std::to_string(id) + " " + message.channel + ": " + message.payload);
    }
    messages.clear();
    return all;
  }
};

std::string array(std::initializer_list<std::string> words, char type = '*') {
  std::string bytes = type + std::to_string(words.size()) + "\r\n";
  for (const auto& word : words) append_argument(bytes, word);
  return bytes;
}
std::string confirmed(const std::string& kind, const std::string& name, char type = '*') {
  std::string bytes = std::string(1, type) + "3\r\n";
  append_argument(bytes, kind);
  append_argument(bytes, name);
  return bytes + ":1\r\n";
}

TEST(ListenMachine, connects_with_the_first_listener_only) {
  Messages rig;
  EXPECT_FALSE(rig.on(event::Tick{}).size());
  EXPECT_EQ(rig.opens, 0);
  rig.listen(1, {"a"}, {"p*"});
  EXPECT_EQ(rig.opens, 1);
  rig.listen(2, {"a"});
  EXPECT_EQ(rig.opens, 1);
  EXPECT_EQ(rig.greet(), "SUBSCRIBE a | PSUBSCRIBE p*");
}

TEST(ListenMachine, reports_to_a_listener_when_all_of_its_channels_are_confirmed) {
  for (const char type : {'*', '>'}) {
    Messages rig;
    rig.listen(1, {"a"}, {"p*"});
    rig.listen(2, {"a"});
    rig.greet();
    rig.written();
    rig.receive(confirmed("subscribe", "a", type));
    EXPECT_THAT(rig.listening, ElementsAre(Pair(2U, true)));
    rig.receive(confirmed("psubscribe", "p*", type));
    EXPECT_THAT(rig.listening, ElementsAre(Pair(2U, true), Pair(1U, true)));
    rig.receive(array({"message", "a", "hello"}, type) + array({"pmessage", "p*", "px", "there"}, type));
    EXPECT_THAT(rig.heard(), ElementsAre("1 a: hello", "2 a: hello", "1 px: there"));
    // One more who wants what is subscribed already listens at once.
    EXPECT_EQ(rig.listen(3, {"a"}), "");
    EXPECT_THAT(rig.listening.back(), Pair(3U, true));
  }
}

TEST(ListenMachine, subscribes_again_after_a_loss) {
  Messages rig;
  rig.listen(1, {"a"}, {"p*"});
  rig.greet();
  rig.written();
  rig.receive(confirmed("subscribe", "a") + confirmed("psubscribe", "p*"));
  rig.lose();
  EXPECT_THAT(rig.listening, ElementsAre(Pair(1U, true), Pair(1U, false)));
  rig.pass(Duration{30});
  EXPECT_EQ(rig.opens, 2);
  EXPECT_EQ(rig.greet(), "SUBSCRIBE a | PSUBSCRIBE p*");
  rig.written();
  rig.receive(confirmed("subscribe", "a") + confirmed("psubscribe", "p*"));
  EXPECT_THAT(rig.listening.back(), Pair(1U, true));
}

TEST(ListenMachine, unsubscribes_with_the_last_listener) {
  Messages rig;
  rig.listen(1, {"a", "b", "b"});
  rig.listen(2, {"a"});
  rig.greet();
  rig.written();
  EXPECT_EQ(rig.on(event::Unlisten{1}), "UNSUBSCRIBE b");
  rig.written();
  rig.receive(confirmed("subscribe", "a") + confirmed("subscribe", "b") + confirmed("unsubscribe", "b") +
              array({"message", "b", "late"}) + array({"message", "a", "x"}));
  EXPECT_THAT(rig.heard(), ElementsAre("2 a: x"));
  EXPECT_EQ(rig.on(event::Unlisten{2}), "UNSUBSCRIBE a");
  rig.on(event::Unlisten{2});
  rig.written();
  EXPECT_EQ(rig.listen(3, {"a"}), "SUBSCRIBE a");
}

TEST(ListenMachine, does_not_resubscribe_a_listener_that_ended_meanwhile) {
  Messages rig;
  rig.listen(1, {"a"});
  rig.listen(2, {"b"});
  rig.greet();
  rig.written();
  rig.lose();
  rig.on(event::Unlisten{1});
  rig.pass(Duration{30});
  EXPECT_EQ(rig.greet(), "SUBSCRIBE b");
}

TEST(ListenMachine, pings_and_understands_both_answers) {
  ClientOptions options;
  options.keepalive = Duration{1'000};
  options.silence_timeout = Duration{500};
  Messages rig(options);
  rig.listen(1, {"a"});
  rig.greet();
  rig.written();
  rig.receive(confirmed("subscribe", "a"));
  for (const auto& answer : {array({"pong", ""}), std::string("+PONG\r\n")}) {
    EXPECT_EQ(rig.pass(Duration{1'000}), "PING");
    rig.written();
    rig.receive(answer);
  }
  EXPECT_EQ(rig.closes, 0);
  rig.pass(Duration{1'000});
  rig.written();
  rig.pass(Duration{500});
  EXPECT_EQ(rig.closes, 1) << "a black hole was not noticed";
  EXPECT_THAT(rig.listening.back(), Pair(1U, false));
}

TEST(ListenMachine, detects_an_unconfirmed_subscription) {
  ClientOptions options;
  options.silence_timeout = Duration{500};
  Messages rig(options);
  rig.listen(1, {"a"});
  rig.greet();
  rig.written();
  rig.pass(Duration{500});
  EXPECT_EQ(rig.closes, 1);
}

TEST(ListenMachine, closes_a_connection_with_a_reply_that_is_not_a_message) {
  for (const std::string& bytes :
       {array({"message", "a"}), array({"nonsense", "a", "b"}), std::string("*1\r\n:1\r\n"),
        std::string("*0\r\n"), std::string(":1\r\n"), std::string("*3\r\n$7\r\nmessage\r\n:1\r\n:2\r\n"),
        std::string("$-5\r\n")}) {
    Messages rig;
    rig.listen(1, {"a"});
    rig.greet();
    rig.written();
    rig.receive(bytes);
    EXPECT_EQ(rig.closes, 1) << bytes;
    EXPECT_EQ(rig.machine.link().error()->code, Errc::kCorrupt) << bytes;
  }
}

TEST(ListenMachine, retries_a_denied_channel_slowly) {
  Messages rig;
  rig.listen(1, {"a"});
  rig.greet();
  rig.written();
  rig.receive("-NOPERM this user has no permissions to access one of the channels\r\n");
  EXPECT_EQ(rig.machine.link().error()->code, Errc::kPermission);
  rig.pass(Duration{4'900});
  EXPECT_EQ(rig.opens, 1);
  rig.pass(Duration{200});
  EXPECT_EQ(rig.opens, 2);
}

TEST(ListenMachine, names_every_missing_rule) {
  Messages rig;
  EXPECT_TRUE(rig.machine.all_confirmed()) << "nobody listens";
  rig.listen(1, {"c"}, {"q:a@*", "q:b@*"});
  EXPECT_FALSE(rig.machine.all_confirmed());
  EXPECT_THAT(rig.machine.trouble()->message, testing::HasSubstr("not confirmed yet"));
  rig.greet();
  rig.written();
  rig.receive(confirmed("subscribe", "c") + "-NOPERM no channels\r\n");
  EXPECT_EQ(rig.closes, 0) << "one answer is missing";
  rig.receive("-NOPERM no channels\r\n");
  EXPECT_EQ(rig.closes, 1);
  EXPECT_THAT(
      rig.machine.trouble()->message,
      testing::HasSubstr(
          "refuses PSUBSCRIBE q:a@* and 1 more: NOPERM no channels; add &q:a@* &q:b@* to the user's ACL "
          "literally"));
  rig.pass(Duration{5'100});
  rig.greet();
  rig.written();
  EXPECT_TRUE(rig.machine.trouble()->message.find("&q:a@*") != std::string::npos)
      << "it stays until all stand";
  rig.receive(confirmed("subscribe", "c") + confirmed("psubscribe", "q:a@*") +
              confirmed("psubscribe", "q:b@*"));
  EXPECT_TRUE(rig.machine.all_confirmed());
  EXPECT_FALSE(rig.machine.trouble());
}

TEST(ListenMachine, names_the_missing_command) {
  Messages rig;
  rig.listen(1, {}, {"q:a@*"});
  rig.greet();
  rig.written();
  rig.receive("-NOPERM this user has no permissions to run the 'psubscribe' command\r\n");
  EXPECT_THAT(rig.machine.trouble()->message, testing::EndsWith("add +psubscribe to the user's ACL"));
}

TEST(ListenMachine, stops_finally) {
  Messages rig;
  rig.listen(1, {"a"});
  rig.greet();
  rig.on(event::Stop{});
  EXPECT_TRUE(rig.last.close);
  EXPECT_FALSE(rig.last.wake);
  EXPECT_EQ(rig.listen(2, {"b"}), "");
  EXPECT_FALSE(rig.last.open);
}

}  // namespace
}  // namespace gaur::redis
