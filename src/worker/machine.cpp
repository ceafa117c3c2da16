// Turns: when to ask, what to send, what an answer means.
#include "worker/machine.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/lane_name.hpp"

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
    Lane& lane = lanes_[queue];
    lane.queue = queue;
    const std::string name = worker_lane(options_.name, queue);
    lane.tracks.push_back({LaneName(name)});
    if (options_.turns_at_once() > 1) lane.tracks.push_back({LaneName(name + "~2")});
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
  for (auto& [queue, lane] : lanes_) {
    lane.number = first;
    lane.reclaiming = true;
  }
}

Lane* Machine::lane_of(const QueueName& queue) {
  const auto found = lanes_.find(queue);
  return found == lanes_.end() ? nullptr : &found->second;
}

// ---- asking ------------------------------------------------------------------------------------

bool Machine::wants(const Lane& lane) const {
  return taking() && lane.refused.empty() && now_.instant >= lane.not_before && (lane.hungry || lane.denied);
}

/// A parked turn has booked the free room: it must end before another queue can have any, or the same queue
/// under new circumstances.
void Machine::unpark_if_wanted() {
  const auto parked = std::find_if(lanes_.begin(), lanes_.end(),
                                   [](const auto& entry) { return entry.second.parked.has_value(); });
  if (parked == lanes_.end()) return;
  Lane& lane = parked->second;
  // On an idle machine everything fits the parked turn, so a hint for its own queue tells nothing that it
  // would miss.
  const bool it_may_miss_some = lane.hungry && (!runs_.empty() || lane.closed_seen);
  const bool others_want = std::any_of(lanes_.begin(), lanes_.end(), [&](const auto& entry) {
    return &entry.second != &lane && wants(entry.second);
  });
  if (!taking() || it_may_miss_some || others_want) lane.unpark = true;
}

void Machine::pump() {
  unpark_if_wanted();
  std::vector<QueueName> order = admission_.order();
  for (const QueueName& queue : queues_) {
    if (std::find(order.begin(), order.end(), queue) == order.end()) order.push_back(queue);
  }
  for (const QueueName& queue : order) {
    Lane* lane = lane_of(queue);
    if (lane == nullptr || lane->reclaiming || now_.instant < lane->hold_until) continue;
    for (Track& track : lane->tracks) {
      if (track.sent) continue;
      if (!lane->parked) {
        ask(*lane, track);
      } else if (lane->unpark || !lane->gathered.empty()) {
        send(*lane, track, std::nullopt);  // the next turn of its lane ends a parked one
      }
    }
  }
  if (taking() && options_.hand_off && all_idle()) park_one();
}

void Machine::ask(Lane& lane, Track& track) {
  std::optional<Offer> offer;
  if (wants(lane)) offer = useful_offer(lane);
  if (offer || !lane.gathered.empty()) send(lane, track, std::move(offer));
}

/// Room for this queue, unless there is none or its blocked head would be denied all the same.
std::optional<Offer> Machine::useful_offer(Lane& lane) {
  Offer offer = admission_.offer(lane.queue, now_.instant);
  if (offer.take == 0) return std::nullopt;
  if (lane.denied && !lane.look_again && !improves(offer, *lane.denied)) {
    admission_.settle(offer.ticket, {}, lane.denied->head, now_.instant);
    return std::nullopt;
  }
  return offer;
}

bool Machine::all_idle() const {
  return std::none_of(lanes_.begin(), lanes_.end(), [](const auto& entry) {
    return entry.second.busy() || entry.second.reclaiming || entry.second.hungry ||
           entry.second.denied.has_value();
  });
}

void Machine::park_one() {
  Lane* lane = lane_of(last_active_);
  if (lane == nullptr || !lane->refused.empty() || options_.park == Duration{0}) return;
  Offer offer = admission_.offer(lane->queue, now_.instant);
  if (offer.take > 0) send(*lane, lane->tracks.front(), std::move(offer), options_.park);
}

/// How many of the gathered finishes the next turn carries. Half of them where the other turn can have the
/// rest: the store then works on one half while the jobs that the other brought are started here.
std::size_t Machine::share(const Lane& lane) const {
  if (lane.one_by_one) return std::min<std::size_t>(1, lane.gathered.size());
  const bool halve = lane.tracks.size() > 1 && !lane.sent() && lane.gathered.size() >= kWorthHalving;
  return std::min(kMostFinishes, halve ? (lane.gathered.size() + 1) / 2 : lane.gathered.size());
}

void Machine::send(Lane& lane, Track& track, std::optional<Offer> offer, Duration park) {
  Sent sent;
  Turn& turn = sent.turn;
  turn.queue = lane.queue;
  turn.op = {track.name, ++lane.number};
  turn.lock = options_.lock;
  turn.by = options_.name;
  turn.park = park;
  if (const auto limit = options_.limits.find(lane.queue); limit != options_.limits.end())
    turn.limit = limit->second;

  const auto cut = lane.gathered.begin() + static_cast<std::ptrdiff_t>(share(lane));
  turn.finished.assign(std::make_move_iterator(lane.gathered.begin()), std::make_move_iterator(cut));
  lane.gathered.erase(lane.gathered.begin(), cut);
  if (lane.gathered.empty()) lane.one_by_one = false;

  if (offer) {
    sent.ticket = offer->ticket;
    turn.take = offer->take;
    turn.admit = std::move(offer->admit);
    lane.asked = now_.instant;
    lane.hungry = lane.look_again = false;
    lane.closed_seen = std::any_of(turn.admit->needs.begin(), turn.admit->needs.end(),
                                   [](const auto& entry) { return entry.second.closed; });
  }
  ++counters_.turns;
  act(action::SendTurn{turn});
  (park > Duration{0} ? lane.parked : track.sent) = std::move(sent);
}

// ---- answers -----------------------------------------------------------------------------------

void Machine::on(event::TurnEnded& event) {
  Lane* lane = lane_of(event.queue);
  if (lane == nullptr) return;
  const auto is_it = [&](const std::optional<Sent>& sent) {
    return sent && sent->turn.op.number == event.number;
  };
  const bool was_parked = is_it(lane->parked);
  const auto track = was_parked ? lane->tracks.begin()
                                : std::find_if(lane->tracks.begin(), lane->tracks.end(),
                                               [&](const Track& one) { return is_it(one.sent); });
  if (track == lane->tracks.end()) return;  // answered before
  if (was_parked) lane->unpark = false;
  std::optional<Sent>& place = was_parked ? lane->parked : track->sent;
  if (!event.reply) return turn_failed(*lane, *track, place, event.reply.error());
  Sent sent = *std::exchange(place, std::nullopt);
  track->answered = true;
  lane->trouble.clear();
  turn_succeeded(*lane, std::move(sent), *std::move(event.reply), was_parked);
}

void Machine::turn_succeeded(Lane& lane, Sent sent, TurnReply reply, bool was_parked) {
  if (sent.ticket != 0) {
    admission_.settle(sent.ticket, reply.taken, reply.blocked, now_.instant);
    learn(lane, sent, reply);
  } else {
    lane.hungry = lane.hungry || (reply.next.more && !was_parked);
  }
  if (reply.next.due) lane.due = now_.instant + (*reply.next.due - now_.wall);
  reply.finished.resize(sent.turn.finished.size(),
                        Error{Errc::kInternal, "the store gave no answer for this finish"});
  for (std::size_t i = 0; i < sent.turn.finished.size(); ++i)
    finished(lane, sent.turn.finished[i], reply.finished[i]);
  if (!reply.taken.empty()) last_active_ = lane.queue;
  for (Taken& taken : reply.taken) take(std::move(taken));
  for (const CancelRequest& request : reply.cancels) cancel(request);
}

/// What the answer to an offer tells about the queue.
void Machine::learn(Lane& lane, const Sent& sent, const TurnReply& reply) {
  lane.paused = reply.next.paused;
  lane.denied.reset();
  if (reply.blocked) {
    Room left = sent.turn.admit->free;
    for (const Taken& taken : reply.taken) {
      const auto needs = sent.turn.admit->needs.find(taken.function);
      if (needs == sent.turn.admit->needs.end()) continue;
      left.cores -= needs->second.cores;
      left.memory_bytes -= std::min(left.memory_bytes, needs->second.memory_bytes);
    }
    lane.denied = Denied{*reply.blocked, left, sent.turn.admit->pass_head};
  } else if (reply.next.more && !lane.paused) {
    lane.hungry = true;
  }
  if (reply.next.limited_for) {
    lane.not_before = now_.instant + *reply.next.limited_for;
    lane.hungry = true;
  }
}

void Machine::settle_nothing(const Sent& sent, const Lane& lane) {
  if (sent.ticket == 0) return;
  admission_.settle(sent.ticket, {}, lane.denied ? std::optional(lane.denied->head) : std::nullopt,
                    now_.instant);
}

/// `place`: where the turn stands, the track's or the parked one.
void Machine::turn_failed(Lane& lane, Track& track, std::optional<Sent>& place, const Error& error) {
  store_error("finish_and_take of queue " + lane.queue.value, error);
  if (is_unusable(error.code)) lane.trouble = error.message;
  const bool was_parked = &place == &lane.parked;
  if (was_parked && track.sent) {
    // Its lane has gone on: nobody can ask for its answer any more. What it took, if anything, the sweep
    // recovers.
    settle_nothing(*place, lane);
    place.reset();
    return;
  }
  if (is_unusable(error.code)) return turn_broken(lane, *std::exchange(place, std::nullopt));
  if (is_refusal(error.code)) {
    Sent sent = *std::exchange(place, std::nullopt);
    turn_refused(lane, track, std::move(sent), error);
    return;
  }
  place->again_at = now_.instant + pause_before_try(place->tries++, random_);
  if (was_parked) {
    place->turn.park = Duration{0};
    track.sent = std::exchange(place, std::nullopt);
  }
}

/// The queue cannot be used now. Its room is free for other queues until the next try; finishes are kept.
void Machine::turn_broken(Lane& lane, Sent sent) {
  settle_nothing(sent, lane);
  lane.hungry = lane.hungry || sent.ticket != 0;
  lane.hold_until = now_.instant + Duration(1'000);
  lane.gathered.insert(lane.gathered.begin(), std::make_move_iterator(sent.turn.finished.begin()),
                       std::make_move_iterator(sent.turn.finished.end()));
}

/// Nothing of it was done. Its finishes must not be lost: those that are not the cause are sent on.
void Machine::turn_refused(Lane& lane, Track& track, Sent sent, const Error& error) {
  settle_nothing(sent, lane);
  lane.hungry = lane.hungry || sent.ticket != 0;
  lane.hold_until = now_.instant + Duration(sent.turn.finished.empty() ? 1'000 : 50);
  if (!track.answered) {
    // Perhaps the clock was set back since this host last used the lane: take another one.
    track.name =
        LaneName(fmt::format("{}~{:08x}", worker_lane(options_.name, lane.queue), random_.next() >> 32));
  }
  if (sent.turn.finished.size() == 1) return replace(lane, std::move(sent.turn.finished.front()), error);
  lane.one_by_one = !sent.turn.finished.empty();
  lane.gathered.insert(lane.gathered.begin(), std::make_move_iterator(sent.turn.finished.begin()),
                       std::make_move_iterator(sent.turn.finished.end()));
}

/// The store does not accept this finish as it is: the job fails and says so. If even that is refused, the
/// run is dropped and its lock expires.
void Machine::replace(Lane& lane, Finish finish, const Error& error) {
  const auto run = runs_.find(finish.token);
  if (run == runs_.end()) return;
  if (std::exchange(run->second.replaced, true))
    return drop(run->second, "the store refuses every outcome of it: " + error.message);
  Failure failure{.code = "error", .message = "the store refused the outcome: " + error.message};
  run->second.decision.word = "failed";
  run->second.decision.code = failure.code;
  run->second.decision.message = failure.message;
  finish.outcome = outcome::Failed{std::move(failure), false};
  lane.gathered.insert(lane.gathered.begin(), std::move(finish));
}

void Machine::finished(Lane& lane, const Finish& finish, const Result<Moved>& moved) {
  const auto found = runs_.find(finish.token);
  if (found == runs_.end()) return;
  Run& run = found->second;
  if (!moved && is_stale(moved.error().code)) return drop(run, moved.error().message);
  if (!moved && is_refusal(moved.error().code)) return replace(lane, finish, moved.error());
  if (!moved) {
    store_error("finish of job " + finish.id.value, moved.error());
    lane.hold_until = now_.instant + Duration(500);
    lane.gathered.push_back(finish);
    return;
  }
  if (moved->due) {
    const Instant due = now_.instant + (*moved->due - now_.wall);
    lane.due = lane.due ? std::min(*lane.due, due) : due;
  }
  const bool over_the_limit = run.decision.word == "stalled" && moved->state == State::kFailed;
  const std::string word = over_the_limit ? "failed" : run.decision.word;
  count(run, word);
  report(run, word);
  runs_.erase(found);
}

void Machine::repeat_turns() {
  for (auto& [queue, lane] : lanes_) {
    for (auto& [name, answered, sent] : lane.tracks) {
      if (!sent || !sent->again_at || now_.instant < *sent->again_at) continue;
      sent->again_at.reset();
      ++counters_.turns;
      ++counters_.repeats;
      act(action::SendTurn{sent->turn});
    }
  }
}

}  // namespace gaur::worker
