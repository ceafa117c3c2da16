// Runs the two state machines: passes events to them, and their actions to sockets, timers and the executor.
// One task delivers all results of one event.
#include <fmt/format.h>

#include <atomic>
#include <mutex>

#include "redis/command_machine.hpp"
#include "redis/connect.hpp"
#include "redis/encoder.hpp"
#include "redis/listen_machine.hpp"
#include "redis/wire.hpp"

namespace gaur::redis {
namespace {

/// A listener, shared by its Subscription and by the tasks that call it. `ended` is set by the destructor of
/// the Subscription; on the executor's thread nothing is called after that.
struct ListenerState {
  explicit ListenerState(Listener l) : listener(std::move(l)) {}
  Listener listener;
  std::atomic<bool> ended{false};
};

/// How a Subscription reaches its client, which it may outlive.
struct ClientRef {
  std::mutex mutex;
  std::function<void(std::uint64_t)> unlisten;
};

class RealSubscription final : public Subscription {
 public:
  RealSubscription(std::shared_ptr<ListenerState> state, std::shared_ptr<ClientRef> client, std::uint64_t id)
      : state_(std::move(state)), client_(std::move(client)), id_(id) {}
  ~RealSubscription() override {
    state_->ended = true;
    std::lock_guard lock(client_->mutex);
    if (client_->unlisten) client_->unlisten(id_);
  }

 private:
  std::shared_ptr<ListenerState> state_;  // shared with tasks under way
  std::shared_ptr<ClientRef> client_;     // shared with the client
  std::uint64_t id_;
};

/// A machine with its socket and timer. Confined to the reactor's thread.
template <class Machine>
class Driver {
 public:
  Driver(Reactor& reactor, const ClientOptions& options, const Env& env,
         std::function<void(Actions&)> deliver)
      : clock_(env.clock),
        deliver_(std::move(deliver)),
        machine_(options, env.random),
        alarm_(reactor, [this] { on(event::Tick{}); }),
        wire_(reactor, options,
              {.opened = [this] { on(event::Opened{}); },
               .closed = [this](Error why) { on(event::Closed{std::move(why)}); },
               .received = [this](std::string_view bytes) { on(event::Received{bytes}); },
               .written = [this] { on(event::Written{}); }}) {}

  void on(typename Machine::Event event) {
    Actions actions = machine_.resume(std::move(event), clock_.now());
    if (actions.close) wire_.close();
    if (actions.open) wire_.open();
    if (!actions.send.empty()) wire_.write(std::move(actions.send));
    if (actions.wake) {
      alarm_.set(*actions.wake);
    } else {
      alarm_.clear();
    }
    deliver_(actions);
  }
  const Machine& machine() const { return machine_; }

 private:
  Clock& clock_;
  std::function<void(Actions&)> deliver_;
  Machine machine_;
  Alarm alarm_;
  Wire wire_;
};

class RealClient final : public Client {
 public:
  RealClient(ClientOptions options, Env env)
      : options_(std::move(options)),
        env_(env),
        log_(options_.log.with({{"redis", to_text(options_.endpoint)}})),
        commands_(std::make_unique<Driver<CommandMachine>>(
            reactor_, options_, env_, [this](Actions& actions) { after_commands(actions); })),
        messages_(std::make_unique<Driver<ListenMachine>>(
            reactor_, options_, env_, [this](Actions& actions) { after_messages(actions); })) {
    client_->unlisten = [this](std::uint64_t id) {
      reactor_.post([this, id] {
        listeners_.erase(id);
        messages_->on(event::Unlisten{id});
      });
    };
    reactor_.post([this] { commands_->on(event::Start{}); });
  }

  ~RealClient() override;

  Answer<Reply> call(Command command) override {
    Request::One promise;
    auto future = promise.future();
    submit({.to = std::move(promise), .bytes = encode(command)});
    return future;
  }

  Answer<std::vector<Reply>> pipeline(std::vector<Command> commands) override {
    Request::Many promise;
    auto future = promise.future();
    if (commands.empty()) {
      promise.set(std::vector<Reply>());
      return future;
    }
    Request request{.to = std::move(promise), .replies = commands.size()};
    for (const auto& command : commands) append_command(request.bytes, command);
    submit(std::move(request));
    return future;
  }

  Answer<Reply> run(const Script& script, std::vector<std::string> keys,
                    std::vector<std::string> arguments) override;
  std::unique_ptr<Subscription> subscribe(std::vector<std::string> channels,
                                          std::vector<std::string> patterns, Listener listener) override;
  std::string cli() const override { return cli_command(options_.endpoint); }
  bool connected() const override { return connected_; }
  Answer<Unit> ready() override;
  Health health() const override;

 private:
  void submit(Request request);
  std::optional<Error> refuse(const Request& request);
  void take_inbox();
  void after_commands(Actions& actions);
  void after_messages(Actions& actions);
  void write_notes(const Actions& actions);
  void settle_ready();

  const ClientOptions options_;
  const Env env_;
  const Logger log_;

  std::mutex mutex_;  // guards what follows
  std::vector<Request> inbox_;
  std::size_t inbox_bytes_ = 0;
  bool scheduled_ = false;  // a task that empties the inbox is posted
  bool stopping_ = false;

  std::atomic<std::size_t> machine_bytes_{0}, machine_pending_{0};
  std::atomic<bool> connected_{false};
  std::atomic<std::uint64_t> last_id_{0};
  mutable std::mutex health_mutex_;  // guards health_
  Health health_;
  bool all_confirmed_ = true;  // as in health_; confined to the reactor's thread

  // Confined to the reactor's thread.
  std::vector<Promise<Result<Unit>>> waiting_ready_;
  std::map<std::uint64_t, std::shared_ptr<ListenerState>> listeners_;  // shared with Subscriptions and tasks

  std::shared_ptr<ClientRef> client_ = std::make_shared<ClientRef>();  // shared with Subscriptions
  Reactor reactor_{"gaur-redis"};
  std::unique_ptr<Driver<CommandMachine>> commands_;
  std::unique_ptr<Driver<ListenMachine>> messages_;
};

RealClient::~RealClient() {
  {
    std::lock_guard lock(client_->mutex);
    client_->unlisten = nullptr;
  }
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  reactor_.post([this] {
    take_inbox();
    commands_->on(event::Stop{});
    messages_->on(event::Stop{});
  });
  reactor_.stop();
  // Their sockets and timers belong to the reactor, which still exists but does not run any more.
  commands_.reset();
  messages_.reset();
}

std::optional<Error> RealClient::refuse(const Request& request) {
  if (stopping_) return Error{Errc::kStopping, "the Redis client is stopping"};
  const std::size_t bytes = inbox_bytes_ + machine_bytes_.load(std::memory_order_relaxed);
  if (bytes + request.size() > options_.max_queued_bytes) {
    return Error{Errc::kTooLarge,
                 fmt::format("{} bytes wait to be sent to Redis and {} more came; the bound is {}", bytes,
                             request.size(), options_.max_queued_bytes)};
  }
  if (inbox_.size() + machine_pending_.load(std::memory_order_relaxed) >= options_.max_pending) {
    return Error{Errc::kTooLarge,
                 fmt::format("{} commands wait for Redis's answer; that is the bound", options_.max_pending)};
  }
  return std::nullopt;
}

void RealClient::submit(Request request) {
  std::unique_lock lock(mutex_);
  if (auto refused = refuse(request)) {
    lock.unlock();
    Finished{std::move(request.to), *std::move(refused)}.deliver();
    return;
  }
  inbox_bytes_ += request.size();
  inbox_.push_back(std::move(request));
  if (std::exchange(scheduled_, true)) return;
  lock.unlock();
  reactor_.post([this] { take_inbox(); });
}

void RealClient::take_inbox() {
  event::Submit submit;
  {
    std::lock_guard lock(mutex_);
    submit.requests.swap(inbox_);
    machine_bytes_ += std::exchange(inbox_bytes_, 0);
    machine_pending_ += submit.requests.size();
    scheduled_ = false;
  }
  if (!submit.requests.empty()) commands_->on(std::move(submit));
}

Answer<Reply> RealClient::run(const Script& script, std::vector<std::string> keys,
                              std::vector<std::string> arguments) {
  Request::One promise;
  auto future = promise.future();
  Request request{.to = std::move(promise)};
  request.script = script;
  request.script_arguments = 1 + keys.size() + arguments.size();
  std::size_t size = 16;
  for (const auto& each : keys) size += each.size() + 16;
  for (const auto& each : arguments) size += each.size() + 16;
  request.bytes.reserve(size);
  append_argument(request.bytes, std::to_string(keys.size()));
  for (const auto& each : keys) append_argument(request.bytes, each);
  for (const auto& each : arguments) append_argument(request.bytes, each);
  submit(std::move(request));
  return future;
}

std::unique_ptr<Subscription> RealClient::subscribe(std::vector<std::string> channels,
                                                    std::vector<std::string> patterns, Listener listener) {
  const std::uint64_t id = ++last_id_;
  auto state = std::make_shared<ListenerState>(std::move(listener));
  reactor_.post([this, id, state, channels = std::move(channels), patterns = std::move(patterns)]() mutable {
    listeners_.emplace(id, std::move(state));
    messages_->on(event::Listen{id, std::move(channels), std::move(patterns)});
  });
  return std::make_unique<RealSubscription>(std::move(state), client_, id);
}

Answer<Unit> RealClient::ready() {
  Promise<Result<Unit>> promise;
  auto future = promise.future();
  reactor_.post([this, promise] {
    waiting_ready_.push_back(promise);
    settle_ready();
  });
  return future;
}

void RealClient::settle_ready() {
  const Link& link = commands_->machine().link();
  if (!link.tried() || waiting_ready_.empty()) return;
  const Status state = link.ready() ? ok() : Status(*link.error());
  env_.loop.post([waiting = std::exchange(waiting_ready_, {}), state] {
    for (const auto& each : waiting) each.set(state);
  });
}

Health RealClient::health() const {
  std::lock_guard lock(health_mutex_);
  return health_;
}

void RealClient::after_commands(Actions& actions) {
  const auto& machine = commands_->machine();
  machine_bytes_.store(machine.unsent_bytes(), std::memory_order_relaxed);
  machine_pending_.store(machine.pending(), std::memory_order_relaxed);
  if (!actions.finished.empty()) {
    auto finished =
        std::make_shared<std::vector<Finished>>(std::move(actions.finished));  // tasks are copyable
    env_.loop.post([finished] {
      for (auto& each : *finished) each.deliver();
    });
  }
  const bool now = machine.ready();
  if (connected_.exchange(now) == now && actions.notes.empty() && !actions.close) return;
  {
    std::lock_guard lock(health_mutex_);
    health_.connected = now;
    health_.connections = machine.link().connections();
    health_.error = machine.link().error();
  }
  write_notes(actions);
  settle_ready();
}

void RealClient::after_messages(Actions& actions) {
  const ListenMachine& machine = messages_->machine();
  if (std::exchange(all_confirmed_, machine.all_confirmed()) != machine.all_confirmed() ||
      !actions.notes.empty()) {
    std::lock_guard lock(health_mutex_);
    health_.messages = machine.trouble();
  }
  write_notes(actions);
  if (actions.messages.empty() && actions.listening.empty()) return;
  struct Delivery {
    std::vector<std::pair<std::shared_ptr<ListenerState>, bool>> states;
    std::vector<std::pair<std::shared_ptr<ListenerState>, Message>> messages;
  };
  auto delivery = std::make_shared<Delivery>();  // tasks are copyable
  for (const auto& [id, listening] : actions.listening) {
    if (const auto state = listeners_.find(id); state != listeners_.end())
      delivery->states.emplace_back(state->second, listening);
  }
  for (auto& [id, message] : actions.messages) {
    if (const auto state = listeners_.find(id); state != listeners_.end()) {
      delivery->messages.emplace_back(state->second, std::move(message));
    }
  }
  env_.loop.post([delivery] {
    for (const auto& [state, listening] : delivery->states) {
      if (!state->ended && state->listener.on_state) state->listener.on_state(listening);
    }
    for (const auto& [state, message] : delivery->messages) {
      if (!state->ended && state->listener.on_message) state->listener.on_message(message);
    }
  });
}

void RealClient::write_notes(const Actions& actions) {
  for (const auto& note : actions.notes) {
    if (note.error.empty()) {
      log_.write(note.level, note.text, {});
    } else {
      log_.write(note.level, note.text, {{"error", note.error}});
    }
  }
}

}  // namespace

std::unique_ptr<Client> connect(ClientOptions options, Env env) {
  return std::make_unique<RealClient>(std::move(options), env);
}

}  // namespace gaur::redis
