// Take requests: when to send one, what it contains, and how its reply is handled.
#include "worker/machine.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/session_name.hpp"

namespace gaur::worker {

namespace {

/// Between two requests to a store without space for more results.
constexpr Duration kFullStoreInterval{1'000};

Duration retry_delay(unsigned tries, Random& random) {
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
    if (options_.takes_in_flight() > 1) state.sessions.push_back({SessionName(name + "~2")});
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
    repeat_takes();
    flush_dirty();
    renew();
    reclaim();
    recover_and_wake();
    wake_due();
    wait_for_work();
    if (phase_ == WorkerPhase::kStopping) continue_stop();
    send_requests();
  }
  actions_ = nullptr;
}

void Machine::on(event::Begin&) {
  if (phase_ != WorkerPhase::kNew) return;
  phase_ = WorkerPhase::kRunning;
  renew_at_ = now_.instant + options_.lock / 2;
  recover_at_ = now_.instant;
  // A restarted host uses the sessions of its previous process; its sequence numbers must be higher.
  const auto first = static_cast<std::uint64_t>(std::max<std::int64_t>(to_ms(now_.wall), 0)) * 1000;
  for (auto& [queue, state] : states_) {
    state.sequence = first;
    state.reclaiming = options_.reclaim;
  }
}

QueueState* Machine::state_of(const QueueName& queue) {
  const auto found = states_.find(queue);
  return found == states_.end() ? nullptr : &found->second;
}

// ---- sending -----------------------------------------------------------------------------------

bool Machine::wants_jobs(const QueueState& state) const {
  return taking() && state.refused.empty() && now_.instant >= state.not_before &&
         (state.may_have_work || state.blocked_head);
}

/// A long poll has booked the free resources: it must end before another queue can use them, and before its
/// own queue can be requested with other needs.
void Machine::end_long_poll_if_needed() {
  const auto polling = std::find_if(states_.begin(), states_.end(),
                                    [](const auto& entry) { return entry.second.long_poll.has_value(); });
  if (polling == states_.end()) return;
  QueueState& state = polling->second;
  // On an idle machine every job fits the long poll, so it misses nothing that a hint for its queue reports.
  const bool may_miss_jobs = state.may_have_work && (!runs_.empty() || state.unavailable_seen);
  const bool others_want = std::any_of(states_.begin(), states_.end(), [&](const auto& entry) {
    return &entry.second != &state && wants_jobs(entry.second);
  });
  if (!taking() || may_miss_jobs || others_want) state.end_long_poll = true;
}

void Machine::send_requests() {
  end_long_poll_if_needed();
  std::vector<QueueName> order = admission_.order();
  for (const QueueName& queue : queues_) {
    if (std::find(order.begin(), order.end(), queue) == order.end()) order.push_back(queue);
  }
  for (const QueueName& queue : order) {
    QueueState* state = state_of(queue);
    if (state == nullptr || state->reclaiming || now_.instant < state->hold_until) continue;
    for (StoreSession& session : state->sessions) {
      if (session.pending) continue;
      if (!state->long_poll) {
        request_jobs(*state, session);
      } else if (state->end_long_poll || !state->finishes.empty()) {
        send_take(*state, session, std::nullopt);  // the next request of its session ends a long poll
      }
    }
  }
  if (taking() && options_.hand_off && all_idle()) start_long_poll();
}

void Machine::request_jobs(QueueState& state, StoreSession& session) {
  std::optional<Booking> booking;
  if (wants_jobs(state)) booking = book_if_useful(state);
  if (booking || !state.finishes.empty()) send_take(state, session, std::move(booking));
}

/// Books resources for this queue, unless none are free or its blocked head would not fit either.
std::optional<Booking> Machine::book_if_useful(QueueState& state) {
  Booking booking = admission_.book(state.queue, now_.instant);
  if (booking.take == 0) return std::nullopt;
  if (state.blocked_head && !state.recheck_head && !improves(booking, *state.blocked_head)) {
    admission_.settle(booking.id, {}, state.blocked_head->head, now_.instant);
    return std::nullopt;
  }
  return booking;
}

bool Machine::all_idle() const {
  return std::none_of(states_.begin(), states_.end(), [](const auto& entry) {
    return entry.second.busy() || entry.second.reclaiming || entry.second.may_have_work ||
           entry.second.blocked_head.has_value();
  });
}

void Machine::start_long_poll() {
  QueueState* state = state_of(last_active_);
  if (state == nullptr || !state->refused.empty() || options_.long_poll == Duration{0}) return;
  Booking booking = admission_.book(state->queue, now_.instant);
  if (booking.take > 0) send_take(*state, state->sessions.front(), std::move(booking), options_.long_poll);
}

void Machine::send_take(QueueState& state, StoreSession& session, std::optional<Booking> booking,
                        Duration long_poll) {
  PendingTake sent;
  TakeRequest& request = sent.request;
  request.queue = state.queue;
  request.op = {session.name, ++state.sequence};
  request.lock = options_.lock;
  request.worker = options_.name;
  request.long_poll = long_poll;
  if (const auto limit = options_.limits.find(state.queue); limit != options_.limits.end())
    request.limit = limit->second;
  move_finishes(state, request);
  if (booking) {
    sent.booking = booking->id;
    request.take = booking->take;
    request.filter = std::move(booking->filter);
    state.requested_at = now_.instant;
    state.may_have_work = state.recheck_head = false;
    state.unavailable_seen = std::any_of(request.filter->needs.begin(), request.filter->needs.end(),
                                         [](const auto& entry) { return entry.second.unavailable; });
  }
  ++counters_.takes;
  act(action::SendTake{request});
  (long_poll > Duration{0} ? state.long_poll : session.pending) = std::move(sent);
}

void Machine::repeat_takes() {
  for (auto& [queue, state] : states_) {
    for (StoreSession& session : state.sessions) {
      std::optional<PendingTake>& pending = session.pending;
      if (!pending || !pending->retry_at || now_.instant < *pending->retry_at) continue;
      pending->retry_at.reset();
      ++counters_.takes;
      ++counters_.repeats;
      act(action::SendTake{pending->request});
    }
  }
}

// ---- replies -----------------------------------------------------------------------------------

void Machine::on(event::TakeEnded& event) {
  QueueState* state = state_of(event.queue);
  if (state == nullptr) return;
  const auto is_it = [&](const std::optional<PendingTake>& pending) {
    return pending && pending->request.op.sequence == event.sequence;
  };
  const bool was_long_poll = is_it(state->long_poll);
  const auto session = was_long_poll
                           ? state->sessions.begin()
                           : std::find_if(state->sessions.begin(), state->sessions.end(),
                                          [&](const StoreSession& one) { return is_it(one.pending); });
  if (session == state->sessions.end()) return;  // a reply to this operation was handled before
  if (was_long_poll) state->end_long_poll = false;
  std::optional<PendingTake>& pending = was_long_poll ? state->long_poll : session->pending;
  if (!event.reply) return on_take_error(*state, *session, pending, event.reply.error());
  PendingTake sent = *std::exchange(pending, std::nullopt);
  session->answered = true;
  state->trouble.clear();
  on_take_reply(*state, std::move(sent), *std::move(event.reply), was_long_poll);
}

void Machine::on_take_reply(QueueState& state, PendingTake sent, TakeReply reply, bool was_long_poll) {
  if (sent.booking != 0) {
    admission_.settle(sent.booking, reply.taken, reply.blocked, now_.instant);
    update_queue(state, sent, reply);
  } else {
    state.may_have_work = state.may_have_work || (reply.next.more && !was_long_poll);
  }
  if (reply.next.due) state.due = now_.instant + (*reply.next.due - now_.wall);
  reply.finished.resize(sent.request.finished.size(),
                        Error{Errc::kInternal, "the store's reply has no result for this finish"});
  for (std::size_t i = 0; i < sent.request.finished.size(); ++i)
    on_finish_result(state, sent.request.finished[i], reply.finished[i]);
  if (!reply.taken.empty()) last_active_ = state.queue;
  for (Taken& taken : reply.taken) start_run(std::move(taken));
  for (const CancelRequest& request : reply.cancels) cancel(request);
}

/// Updates the state of the queue from the reply to a request with a booking.
void Machine::update_queue(QueueState& state, const PendingTake& sent, const TakeReply& reply) {
  state.paused = reply.next.paused;
  state.blocked_head.reset();
  if (reply.blocked) {
    Resources left = sent.request.filter->free;
    for (const Taken& taken : reply.taken) {
      const auto needs = sent.request.filter->needs.find(taken.function);
      if (needs == sent.request.filter->needs.end()) continue;
      left.cores -= needs->second.cores;
      left.memory_bytes -= std::min(left.memory_bytes, needs->second.memory_bytes);
    }
    state.blocked_head = KnownHead{*reply.blocked, left, sent.request.filter->backfill};
  } else if (reply.next.more && !state.paused) {
    state.may_have_work = true;
  }
  state.store_full = reply.next.store_full;
  if (state.store_full) {
    state.not_before = now_.instant + kFullStoreInterval;
    state.may_have_work = true;
  }
  if (reply.next.limited_for) {
    state.not_before = now_.instant + *reply.next.limited_for;
    state.may_have_work = true;
  }
}

void Machine::release_booking(const PendingTake& sent, const QueueState& state) {
  if (sent.booking == 0) return;
  admission_.settle(sent.booking, {},
                    state.blocked_head ? std::optional(state.blocked_head->head) : std::nullopt,
                    now_.instant);
}

/// `pending`: the request, in its session or as the long poll of the queue.
void Machine::on_take_error(QueueState& state, StoreSession& session, std::optional<PendingTake>& pending,
                            const Error& error) {
  log_store_error("finish_and_take of queue " + state.queue.value, error);
  if (is_unusable(error.code)) state.trouble = error.message;
  const bool was_long_poll = &pending == &state.long_poll;
  if (was_long_poll && session.pending) {
    // Its session has a newer operation, so the store no longer repeats the reply. If the long poll took
    // jobs, they are recovered as stalled.
    release_booking(*pending, state);
    pending.reset();
    return;
  }
  if (is_unusable(error.code)) return on_unusable_queue(state, *std::exchange(pending, std::nullopt));
  if (is_rejection(error.code)) {
    PendingTake sent = *std::exchange(pending, std::nullopt);
    on_take_rejected(state, session, std::move(sent), error);
    return;
  }
  pending->retry_at = now_.instant + retry_delay(pending->tries++, random_);
  if (was_long_poll) {
    pending->request.long_poll = Duration{0};
    session.pending = std::exchange(pending, std::nullopt);
  }
}

/// Keeps the finishes and frees the booking for other queues until the next try.
void Machine::on_unusable_queue(QueueState& state, PendingTake sent) {
  release_booking(sent, state);
  state.may_have_work = state.may_have_work || sent.booking != 0;
  state.hold_until = now_.instant + Duration(1'000);
  state.finishes.insert(state.finishes.begin(), std::make_move_iterator(sent.request.finished.begin()),
                        std::make_move_iterator(sent.request.finished.end()));
}

/// The store has changed nothing. The finishes must not be lost: they are sent again one by one, so that only
/// the one that caused the rejection fails.
void Machine::on_take_rejected(QueueState& state, StoreSession& session, PendingTake sent,
                               const Error& error) {
  std::vector<Finish>& finished = sent.request.finished;
  release_booking(sent, state);
  state.may_have_work = state.may_have_work || sent.booking != 0;
  state.hold_until = now_.instant + Duration(finished.empty() ? 1'000 : 50);
  if (!session.answered) {
    // The clock may have been set back since this host last used the session: use a new one.
    session.name = SessionName(
        fmt::format("{}~{:08x}", worker_session(options_.name, state.queue), random_.next() >> 32));
  }
  if (finished.size() == 1) return fail_rejected(state, std::move(finished.front()), error);
  state.one_by_one = !finished.empty();
  state.finishes.insert(state.finishes.begin(), std::make_move_iterator(finished.begin()),
                        std::make_move_iterator(finished.end()));
}

}  // namespace gaur::worker
