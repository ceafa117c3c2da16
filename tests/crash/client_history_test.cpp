// Tests of the checker of the crash test: it finds lost, invented and repeated operations, and accepts both
// outcomes of an unknown one.
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
  std::vector<std::string> violations(const std::vector<Job>& jobs) {
    std::map<State, std::vector<Job>> by_state;
    for (const Job& one : jobs) by_state[one.state].push_back(one);
    history.check(by_state);
    return history.take_violations();
  }
  /// Adds job 7, which the first request of w1 takes.
  void add_and_take() {
    history.read_line("A p1 1");
    history.read_line("a p1 1 7");
    history.read_line("T w1 1");
    history.read_line("f w1 1 none 7 w1:1:0");
  }
  void finish(const std::string& answer) {
    history.read_line("F w1 2 7 w1:1:0 c");
    if (!answer.empty()) history.read_line("f w1 2 " + answer + " - -");
    history.driver_killed();
  }
};

TEST_F(ClientHistoryTest, AcceptsCorrectStore) {
  add_and_take();
  finish("completed");
  EXPECT_THAT(violations({completed("7", "p1-1-0", "w1:1:0")}), IsEmpty());
}

TEST_F(ClientHistoryTest, FindsLostAdd) {
  history.read_line("A p1 1");
  history.read_line("a p1 1 7");
  history.driver_killed();
  EXPECT_THAT(violations({}), ElementsAre(HasSubstr("I2")));
}

TEST_F(ClientHistoryTest, AcceptsBothOutcomesOfUnknownAdd) {
  history.read_line("A p1 1");
  history.driver_killed();
  EXPECT_THAT(violations({}), IsEmpty());
  EXPECT_THAT(violations({job("7", "p1-1-0", State::kWaiting)}), IsEmpty());
  EXPECT_EQ(history.unknown_adds().size(), 1U);
}

TEST_F(ClientHistoryTest, FindsInventedJob) {
  EXPECT_THAT(violations({job("7", "p9-1-0", State::kWaiting)}), ElementsAre(HasSubstr("I3")));
}

TEST_F(ClientHistoryTest, FindsJobInTwoStates) {
  add_and_take();
  history.driver_killed();
  EXPECT_THAT(violations({job("7", "p1-1-0", State::kWaiting), job("7", "p1-1-0", State::kWaiting)}),
              ElementsAre(HasSubstr("I1")));
}

TEST_F(ClientHistoryTest, FindsLostFinish) {
  add_and_take();
  finish("completed");
  EXPECT_THAT(violations({job("7", "p1-1-0", State::kWaiting)}), ElementsAre(HasSubstr("I2")));
}

TEST_F(ClientHistoryTest, AcceptsBothOutcomesOfUnknownFinish) {
  add_and_take();
  finish("");
  EXPECT_THAT(violations({completed("7", "p1-1-0", "w1:1:0")}), IsEmpty());
  EXPECT_EQ(history.unknown_executed, 1U);
}

TEST_F(ClientHistoryTest, FindsResultWithoutFinish) {
  add_and_take();
  finish("");
  EXPECT_THAT(violations({completed("7", "p1-1-0", "w9:9:9")}), ElementsAre(HasSubstr("I5")));
}

TEST_F(ClientHistoryTest, FindsResultOfAnotherFinish) {
  add_and_take();
  finish("completed");
  EXPECT_THAT(violations({completed("7", "p1-1-0", "w9:9:9")}), ElementsAre(HasSubstr("I6")));
}

TEST_F(ClientHistoryTest, FindsStartAfterFinish) {
  add_and_take();
  history.read_line("F w1 2 7 w1:1:0 c");
  history.read_line("f w1 2 completed 7 w1:2:0");
  EXPECT_THAT(history.take_violations(), ElementsAre(HasSubstr("I6")));
}

TEST_F(ClientHistoryTest, FindsRejectedFinishOfOwner) {
  add_and_take();
  history.read_line("F w1 2 7 w1:1:0 c");
  history.read_line("f w1 2 lock_missing - -");
  EXPECT_THAT(history.take_violations(), ElementsAre(HasSubstr("I5")));
}

TEST_F(ClientHistoryTest, FindsActiveJobWithoutRun) {
  add_and_take();
  history.driver_killed();
  EXPECT_THAT(violations({job("7", "p1-1-0", State::kActive)}), ElementsAre(HasSubstr("I4")));
}

}  // namespace
}  // namespace gaur::crash
