// The judge of the kill storm is judged: what a store may lose, invent or do twice is found, and what is
// merely unknown is not held against it.
#include "client_history.hpp"

#include <gmock/gmock.h>

#include "protocol.hpp"

namespace gaur::crash {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct ClientHistoryTest : testing::Test {
  ClientHistory history;

  static Job job(const std::string& id, const std::string& mark, State state) {
    Job made{.queue = kQueue, .id = JobId(id), .name = "storm", .data = data_of(mark)};
    made.state = state;
    made.attempts_started = 1;
    return made;
  }
  static Job completed(const std::string& id, const std::string& mark, const std::string& token) {
    Job made = job(id, mark, State::kCompleted);
    made.result = result_of(token);
    return made;
  }
  std::vector<std::string> verdict(const std::vector<Job>& jobs) {
    std::map<State, std::vector<Job>> by_state;
    for (const Job& one : jobs) by_state[one.state].push_back(one);
    history.check(by_state);
    return history.take_violations();
  }
  /// An acknowledged job 7, taken by w1 under its first turn.
  void add_and_take() {
    history.heard("A p1 1");
    history.heard("a p1 1 7");
    history.heard("T w1 1");
    history.heard("f w1 1 none 7 w1:1:0");
  }
  void finish(const std::string& answer) {
    history.heard("F w1 2 7 w1:1:0 c");
    if (!answer.empty()) history.heard("f w1 2 " + answer + " - -");
    history.died();
  }
};

TEST_F(ClientHistoryTest, HoldsNothingAgainstAGoodStore) {
  add_and_take();
  finish("completed");
  EXPECT_THAT(verdict({completed("7", "p1-1-0", "w1:1:0")}), IsEmpty());
}

TEST_F(ClientHistoryTest, FindsAnAcknowledgedAddThatIsLost) {
  history.heard("A p1 1");
  history.heard("a p1 1 7");
  history.died();
  EXPECT_THAT(verdict({}), ElementsAre(HasSubstr("I2")));
}

TEST_F(ClientHistoryTest, LetsAnUnknownAddBeThereOrNot) {
  history.heard("A p1 1");
  history.died();
  EXPECT_THAT(verdict({}), IsEmpty());
  EXPECT_THAT(verdict({job("7", "p1-1-0", State::kWaiting)}), IsEmpty());
  EXPECT_EQ(history.unknown_adds().size(), 1U);
}

TEST_F(ClientHistoryTest, FindsAJobThatNobodyAdded) {
  EXPECT_THAT(verdict({job("7", "p9-1-0", State::kWaiting)}), ElementsAre(HasSubstr("I3")));
}

TEST_F(ClientHistoryTest, FindsAJobInTwoPlaces) {
  add_and_take();
  history.died();
  EXPECT_THAT(verdict({job("7", "p1-1-0", State::kWaiting), job("7", "p1-1-0", State::kWaiting)}),
              ElementsAre(HasSubstr("I1")));
}

TEST_F(ClientHistoryTest, FindsAnAcknowledgedFinishThatIsLost) {
  add_and_take();
  finish("completed");
  EXPECT_THAT(verdict({job("7", "p1-1-0", State::kWaiting)}), ElementsAre(HasSubstr("I2")));
}

TEST_F(ClientHistoryTest, LetsAnUnknownFinishBeCarriedOutOrNot) {
  add_and_take();
  finish("");
  EXPECT_THAT(verdict({completed("7", "p1-1-0", "w1:1:0")}), IsEmpty());
  EXPECT_EQ(history.unknown_carried_out, 1U);
}

TEST_F(ClientHistoryTest, FindsAnEndByNoFinishThatWasSent) {
  add_and_take();
  finish("");
  EXPECT_THAT(verdict({completed("7", "p1-1-0", "w9:9:9")}), ElementsAre(HasSubstr("I5")));
}

TEST_F(ClientHistoryTest, FindsAnotherResultThanTheAcceptedOne) {
  add_and_take();
  finish("completed");
  EXPECT_THAT(verdict({completed("7", "p1-1-0", "w9:9:9")}), ElementsAre(HasSubstr("I6")));
}

TEST_F(ClientHistoryTest, FindsAStartAfterTheEnd) {
  add_and_take();
  history.heard("F w1 2 7 w1:1:0 c");
  history.heard("f w1 2 completed 7 w1:2:0");
  EXPECT_THAT(history.take_violations(), ElementsAre(HasSubstr("I6")));
}

TEST_F(ClientHistoryTest, FindsARefusalOfTheOnlyOwner) {
  add_and_take();
  history.heard("F w1 2 7 w1:1:0 c");
  history.heard("f w1 2 lock_missing - -");
  EXPECT_THAT(history.take_violations(), ElementsAre(HasSubstr("I5")));
}

TEST_F(ClientHistoryTest, FindsWhatNobodyRunsAndIsActive) {
  add_and_take();
  history.died();
  EXPECT_THAT(verdict({job("7", "p1-1-0", State::kActive)}), ElementsAre(HasSubstr("I4")));
}

}  // namespace
}  // namespace gaur::crash
