// Turns: when to ask, what to send, what an answer means.
#include "worker/machine.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/session_name.hpp"

namespace gaur::worker {

namespace {

constexpr std::size_t kMostFinishes = 1'000;  // in one turn
constexpr std::size_t kWorthHalving = 8;      // finishes that are worth two turns instead of one

/// The store said that this very request is not acceptable: sending it again would not help.
bool is_refusal(Errc code) {
  return code == Errc::kInvalidArgument || code == Errc::kTooLarge || code == Errc::kUnsupported ||
         code == Errc::kNotFound || code == Errc::kPermission;
}

/// The queue itself cannot be used, whatever is sent: its keys are damaged, or the user may not use them.
bool is_unusable(Errc code) {
  return code == Errc::kCorrupt || code == Errc::kPermission;
}

/// The run is no longer the job's current one.
bool is_stale(Errc code) {
  return code == Errc::kLockMissing || code == Errc::kLockMismatch || code == Errc::kNotFound ||
         code == Errc::kNotInState;
}

Duration pause_before_try(unsigned tries, Random& random) {
  const std::int64_t longest = std::min<std::int64_t>(50LL << std::min(tries, 6U), 2'000);
  return Duration(longest / 2 +
                  static_cast<std::int64_t>(random.next() % static_cast<std::uint64_t>(longest / 2 + 1)));
}

}  // namespace

Machine::Machine(WorkerOptions options, Admission& admission, Random& random)
    : options_(std::move(options)), admission_(admission), random_(random), queues_(options_.queues) {
  for (const QueueName& queue : queues_) {
    QueueState& state = states_[queue];
    state.queue = queue;
    const std::string name = worker_session(options_.name, queue);
    state.sessions.push_back({SessionName(name)});
    if (options_.turns_at_once() > 1) state.sessions.push_back({SessionName(name + "~2")});
  }
  if (!queues_.empty()) last_active_ = queues_.front();
}

void Machine::resume(std::vector<Input> events, Now now, std::vector<Action>& actions) {
  now_ = now;
  actions_ = &actions;
  for (Input& event : events) {
    if (phase_ == WorkerPhase::kStopped && !std::holds_alternative<event::Stop>(event)) continue;
    std::visit([this](auto& one) { on(one); }, event);
  }
  if (phase_ != WorkerPhase::kNew && phase_ != WorkerPhase::kStopped) {
    repeat_turns();
    flush_dirty();
    renew();
    reclaim();
    sweep();
    wake_due();
    keep_waiting();
    if (phase_ == WorkerPhase::kStopping) go_on_stopping();
    pump();
  }
  actions_ = nullptr;
}

void Machine::on(event::Begin&) {
  if (phase_ != WorkerPhase::kNew) return;
  phase_ = WorkerPhase::kRunning;
  renew_at_ = now_.instant + options_.lock / 2;
  sweep_at_ = now_.instant;
  // A host that was killed finds its lanes again under the same names; its numbers must be above those it
  // used then.
  const auto first = static_cast<std::uint64_t>(std::max<std::int64_t>(to_ms(now_.wall), 0)) * 1000;
  for (auto& [queue, state] : states_) {
    state.number = first;
    state.reclaiming = true;
  }
}

QueueState* Machine::state_of(const QueueName& queue) {
  const auto found = states_.find(queue);
  return found == states_.end() ? nullptr : &found->second;
}

// ---- asking ------------------------------------------------------------------------------------

bool Machine::wants(const QueueState& state) const {
  return taking() && state.refused.empty() && now_.instant >= state.not_before &&
         (state.may_have_work || state.blocked_head);
}

/// A parked turn has booked the free room: it must end before another queue can have any, or the same queue
/// under new circumstances.
void Machine::unpark_if_wanted() {
  const auto parked = std::find_if(states_.begin(), states_.end(),
                                   [](const auto& entry) { return entry.second.parked.has_value(); });
  if (parked == states_.end()) return;
  QueueState& state = parked->second;
  // On an idle machine everything fits the parked turn, so a hint for its own queue tells nothing that it
  // would miss.
  const bool it_may_miss_some = state.may_have_work && (!runs_.empty() || state.closed_seen);
  const bool others_want = std::any_of(states_.begin(), states_.end(), [&](const auto& entry) {
    return &entry.second != &state && wants(entry.second);
  });
  if (!taking() || it_may_miss_some || others_want) state.unpark = true;
}

void Machine::pump() {
  unpark_if_wanted();
  std::vector<QueueName> order = admission_.order();
  for (const QueueName& queue : queues_) {
    if (std::find(order.begin(), order.end(), queue) == order.end()) order.push_back(queue);
  }
  for (const QueueName& queue : order) {
    QueueState* state = state_of(queue);
    if (state == nullptr || state->reclaiming || now_.instant < state->hold_until) continue;
    for (StoreSession& session : state->sessions) {
      if (session.sent) continue;
      if (!state->parked) {
        ask(*state, session);
      } else if (state->unpark || !state->gathered.empty()) {
        send(*state, session, std::nullopt);  // the next turn of its lane ends a parked one
      }
    }
  }
  if (taking() && options_.hand_off && all_idle()) park_one();
}

void Machine::ask(QueueState& state, StoreSession& session) {
  std::optional<Booking> offer;
  if (wants(state)) offer = useful_offer(state);
  if (offer || !state.gathered.empty()) send(state, session, std::move(offer));
}

/// Room for this queue, unless there is none or its blocked head would be denied all the same.
std::optional<Booking> Machine::useful_offer(QueueState& state) {
  Booking offer = admission_.offer(state.queue, now_.instant);
  if (offer.take == 0) return std::nullopt;
  if (state.blocked_head && !state.look_again && !improves(offer, *state.blocked_head)) {
    admission_.settle(offer.ticket, {}, state.blocked_head->head, now_.instant);
    return std::nullopt;
  }
  return offer;
}

bool Machine::all_idle() const {
  return std::none_of(states_.begin(), states_.end(), [](const auto& entry) {
    return entry.second.busy() || entry.second.reclaiming || entry.second.may_have_work ||
           entry.second.blocked_head.has_value();
  });
}

void Machine::park_one() {
  QueueState* state = state_of(last_active_);
  if (state == nullptr || !state->refused.empty() || options_.park == Duration{0}) return;
  Booking offer = admission_.offer(state->queue, now_.instant);
  if (offer.take > 0) send(*state, state->sessions.front(), std::move(offer), options_.park);
}

/// How many of the gathered finishes the next turn carries. Half of them where the other turn can have the
/// rest: the store then works on one half while the jobs that the other brought are started here.
std::size_t Machine::share(const QueueState& state) const {
  if (state.one_by_one) return std::min<std::size_t>(1, state.gathered.size());
  const bool halve = state.sessions.size() > 1 && !state.sent() && state.gathered.size() >= kWorthHalving;
  return std::min(kMostFinishes, halve ? (state.gathered.size() + 1) / 2 : state.gathered.size());
}

void Machine::send(QueueState& state, StoreSession& session, std::optional<Booking> offer, Duration park) {
  Sent sent;
  TakeRequest& turn = sent.turn;
  turn.queue = state.queue;
  turn.op = {session.name, ++state.number};
  turn.lock = options_.lock;
  turn.worker = options_.name;
  turn.park = park;
  if (const auto limit = options_.limits.find(state.queue); limit != options_.limits.end())
    turn.limit = limit->second;

  const auto cut = state.gathered.begin() + static_cast<std::ptrdiff_t>(share(state));
  turn.finished.assign(std::make_move_iterator(state.gathered.begin()), std::make_move_iterator(cut));
  state.gathered.erase(state.gathered.begin(), cut);
  if (state.gathered.empty()) state.one_by_one = false;

  if (offer) {
    sent.ticket = offer->ticket;
    turn.take = offer->take;
    turn.filter = std::move(offer->filter);
    state.asked = now_.instant;
    state.may_have_work = state.look_again = false;
    state.closed_seen = std::any_of(turn.filter->needs.begin(), turn.filter->needs.end(),
                                    [](const auto& entry) { return entry.second.unavailable; });
  }
  ++counters_.turns;
  act(action::SendTake{turn});
  (park > Duration{0} ? state.parked : session.sent) = std::move(sent);
}

// ---- answers -----------------------------------------------------------------------------------

void Machine::on(event::TakeEnded& event) {
  QueueState* state = state_of(event.queue);
  if (state == nullptr) return;
  const auto is_it = [&](const std::optional<Sent>& sent) {
    return sent && sent->turn.op.sequence == event.number;
  };
  const bool was_parked = is_it(state->parked);
  const auto session = was_parked ? state->sessions.begin()
                                  : std::find_if(state->sessions.begin(), state->sessions.end(),
                                                 [&](const StoreSession& one) { return is_it(one.sent); });
  if (session == state->sessions.end()) return;  // answered before
  if (was_parked) state->unpark = false;
  std::optional<Sent>& place = was_parked ? state->parked : session->sent;
  if (!event.reply) return turn_failed(*state, *session, place, event.reply.error());
  Sent sent = *std::exchange(place, std::nullopt);
  session->answered = true;
  state->trouble.clear();
  turn_succeeded(*state, std::move(sent), *std::move(event.reply), was_parked);
}

void Machine::turn_succeeded(QueueState& state, Sent sent, TakeReply reply, bool was_parked) {
  if (sent.ticket != 0) {
    admission_.settle(sent.ticket, reply.taken, reply.blocked, now_.instant);
    learn(state, sent, reply);
  } else {
    state.may_have_work = state.may_have_work || (reply.next.more && !was_parked);
  }
  if (reply.next.due) state.due = now_.instant + (*reply.next.due - now_.wall);
  reply.finished.resize(sent.turn.finished.size(),
                        Error{Errc::kInternal, "the store gave no answer for this finish"});
  for (std::size_t i = 0; i < sent.turn.finished.size(); ++i)
    finished(state, sent.turn.finished[i], reply.finished[i]);
  if (!reply.taken.empty()) last_active_ = state.queue;
  for (Taken& taken : reply.taken) take(std::move(taken));
  for (const CancelRequest& request : reply.cancels) cancel(request);
}

/// What the answer to an offer tells about the queue.
void Machine::learn(QueueState& state, const Sent& sent, const TakeReply& reply) {
  state.paused = reply.next.paused;
  state.blocked_head.reset();
  if (reply.blocked) {
    Resources left = sent.turn.filter->free;
    for (const Taken& taken : reply.taken) {
      const auto needs = sent.turn.filter->needs.find(taken.function);
      if (needs == sent.turn.filter->needs.end()) continue;
      left.cores -= needs->second.cores;
      left.memory_bytes -= std::min(left.memory_bytes, needs->second.memory_bytes);
    }
    state.blocked_head = DeniedHead{*reply.blocked, left, sent.turn.filter->backfill};
  } else if (reply.next.more && !state.paused) {
    state.may_have_work = true;
  }
  if (reply.next.limited_for) {
    state.not_before = now_.instant + *reply.next.limited_for;
    state.may_have_work = true;
  }
}

void Machine::settle_nothing(const Sent& sent, const QueueState& state) {
  if (sent.ticket == 0) return;
  admission_.settle(sent.ticket, {},
                    state.blocked_head ? std::optional(state.blocked_head->head) : std::nullopt,
                    now_.instant);
}

/// `place`: where the turn stands, the track's or the parked one.
void Machine::turn_failed(QueueState& state, StoreSession& session, std::optional<Sent>& place,
                          const Error& error) {
  store_error("finish_and_take of queue " + state.queue.value, error);
  if (is_unusable(error.code)) state.trouble = error.message;
  const bool was_parked = &place == &state.parked;
  if (was_parked && session.sent) {
    // Its lane has gone on: nobody can ask for its answer any more. What it took, if anything, the sweep
    // recovers.
    settle_nothing(*place, state);
    place.reset();
    return;
  }
  if (is_unusable(error.code)) return turn_broken(state, *std::exchange(place, std::nullopt));
  if (is_refusal(error.code)) {
    Sent sent = *std::exchange(place, std::nullopt);
    turn_refused(state, session, std::move(sent), error);
    return;
  }
  place->again_at = now_.instant + pause_before_try(place->tries++, random_);
  if (was_parked) {
    place->turn.park = Duration{0};
    session.sent = std::exchange(place, std::nullopt);
  }
}

/// The queue cannot be used now. Its room is free for other queues until the next try; finishes are kept.
void Machine::turn_broken(QueueState& state, Sent sent) {
  settle_nothing(sent, state);
  state.may_have_work = state.may_have_work || sent.ticket != 0;
  state.hold_until = now_.instant + Duration(1'000);
  state.gathered.insert(state.gathered.begin(), std::make_move_iterator(sent.turn.finished.begin()),
                        std::make_move_iterator(sent.turn.finished.end()));
}

/// Nothing of it was done. Its finishes must not be lost: those that are not the cause are sent on.
void Machine::turn_refused(QueueState& state, StoreSession& session, Sent sent, const Error& error) {
  settle_nothing(sent, state);
  state.may_have_work = state.may_have_work || sent.ticket != 0;
  state.hold_until = now_.instant + Duration(sent.turn.finished.empty() ? 1'000 : 50);
  if (!session.answered) {
    // Perhaps the clock was set back since this host last used the lane: take another one.
    session.name = SessionName(
        fmt::format("{}~{:08x}", worker_session(options_.name, state.queue), random_.next() >> 32));
  }
  if (sent.turn.finished.size() == 1) return replace(state, std::move(sent.turn.finished.front()), error);
  state.one_by_one = !sent.turn.finished.empty();
  state.gathered.insert(state.gathered.begin(), std::make_move_iterator(sent.turn.finished.begin()),
                        std::make_move_iterator(sent.turn.finished.end()));
}

/// The store does not accept this finish as it is: the job fails and says so. If even that is refused, the
/// run is dropped and its lock expires.
void Machine::replace(QueueState& state, Finish finish, const Error& error) {
  const auto run = runs_.find(finish.token);
  if (run == runs_.end()) return;
  if (std::exchange(run->second.replaced, true))
    return drop(run->second, "the store refuses every outcome of it: " + error.message);
  Failure failure{.code = "error", .message = "the store refused the outcome: " + error.message};
  run->second.decision.word = "failed";
  run->second.decision.code = failure.code;
  run->second.decision.message = failure.message;
  finish.outcome = outcome::Failed{std::move(failure), false};
  state.gathered.insert(state.gathered.begin(), std::move(finish));
}

void Machine::finished(QueueState& state, const Finish& finish, const Result<FinishResult>& moved) {
  const auto found = runs_.find(finish.token);
  if (found == runs_.end()) return;
  Run& run = found->second;
  if (!moved && is_stale(moved.error().code)) return drop(run, moved.error().message);
  if (!moved && is_refusal(moved.error().code)) return replace(state, finish, moved.error());
  if (!moved) {
    store_error("finish of job " + finish.id.value, moved.error());
    state.hold_until = now_.instant + Duration(500);
    state.gathered.push_back(finish);
    return;
  }
  if (moved->due) {
    const Instant due = now_.instant + (*moved->due - now_.wall);
    state.due = state.due ? std::min(*state.due, due) : due;
  }
  const bool over_the_limit = run.decision.word == "stalled" && moved->state == State::kFailed;
  const std::string word = over_the_limit ? "failed" : run.decision.word;
  count(run, word);
  report(run, word);
  runs_.erase(found);
}

void Machine::repeat_turns() {
  for (auto& [queue, state] : states_) {
    for (auto& [name, answered, sent] : state.sessions) {
      if (!sent || !sent->again_at || now_.instant < *sent->again_at) continue;
      sent->again_at.reset();
      ++counters_.turns;
      ++counters_.repeats;
      act(action::SendTake{sent->turn});
    }
  }
}

}  // namespace gaur::worker
