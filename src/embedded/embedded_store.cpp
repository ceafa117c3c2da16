// The verbs of the store: calls for the writer, or tasks for the readers.
#include "embedded/embedded_store.hpp"

#include <fmt/format.h>

#include "base/files.hpp"
#include "base/json.hpp"
#include "base/try.hpp"
#include "core/validation.hpp"
#include "embedded/background_check.hpp"
#include "embedded/folder_lock.hpp"
#include "embedded/folder_watch.hpp"
#include "embedded/readers.hpp"
#include "embedded/space_guard.hpp"
#include "embedded/store_folder.hpp"
#include "embedded/writer.hpp"

namespace gaur {

namespace {

using namespace embedded;

constexpr int kReaderThreads = 2;

/// About how many bytes the request stores.
std::uint64_t bytes_of(const AddRequest& request) {
  constexpr std::uint64_t kRecordBytes = 512;  // of the records beside data and name
  std::uint64_t bytes = 1;
  for (const NewJob& job : request.jobs) bytes += kRecordBytes + job.data.size() + 2 * job.name.size();
  return bytes;
}

Status check_json(std::string_view field, std::string_view text, std::size_t limit) {
  if (text.size() > limit)
    return Error{Errc::kTooLarge, fmt::format("{}: at most {} bytes, was {}", field, limit, text.size())};
  const auto parsed = json::parse(text);
  if (!parsed) return parsed.error().in(field);
  return ok();
}

void report_check(const StoreCheck& check, LmdbEnv& env, const Logger& log) {
  env.damage().on_first = [log](const std::string& problem) {
    log.error("the store is damaged", {{"problem", problem}, {"advice", damage_advice()}});
  };
  if (!check.records.empty()) env.damage().add(check.records.summary());
}

class LmdbStore final : public EmbeddedStore {
 public:
  LmdbStore(Fd lock, Fd data_lock, std::unique_ptr<LmdbEnv> env, std::unique_ptr<Engine> engine, bool checked,
            const EmbeddedOptions& options, const Clock& clock, Executor& completions)
      : clock_(clock),
        completions_(completions),
        folder_(options.folder),
        store_id_(engine->store_id()),
        lock_(std::move(lock)),
        data_lock_(std::move(data_lock)),
        env_(std::move(env)),
        readers_(std::make_unique<Readers>(*env_, kReaderThreads)),
        writer_(std::make_unique<Writer>(*env_, std::move(engine), options, clock, completions)) {
    if (!checked) background_check_.emplace(*env_, options.log);
    folder_watch_.emplace(
        FolderWatch::Parts{.env = *env_,
                           .folder = folder_,
                           .store_id = store_id_,
                           .mark_interval = options.mark_interval,
                           // The writer begins a transaction, which fails.
                           .on_lost = [this] { (void)call<Unit>([](Engine&) { return ok(); }); },
                           .log = options.log});
  }
  ~LmdbStore() override {
    folder_watch_.reset();
    background_check_.reset();
    writer_.reset();  // first: it may still post to the readers
    readers_.reset();
    (void)mark_store(folder_, *env_,
                     store_id_);  // without it, an older copy of the file is noticed later or not at all
  }

  Capabilities capabilities() const override {
    return {Capability::kHandOff,     Capability::kChangeDelay, Capability::kChangePriority,
            Capability::kUsage,       Capability::kFailureCode, Capability::kEventLog,
            Capability::kProcessedBy, Capability::kEveryOption};
  }
  EmbeddedStats stats() const override { return writer_->stats(); }
  std::optional<std::string> damage() const override { return env_->damage().first(); }

  // ---- transitions
  Async<std::vector<Added>> add(AddRequest request) override {
    if (Status valid = validate_add(request, "the embedded store", capabilities()); !valid)
      return answer<std::vector<Added>>(valid.error());
    const std::uint64_t bytes = bytes_of(request);
    return call<std::vector<Added>>(
        [request = std::move(request)](Engine& engine) { return engine.add(request); }, bytes);
  }
  Async<TakeReply> finish_and_take(TakeRequest request) override {
    auto call = std::make_unique<TakeCall>(std::move(request));
    auto future = call->callers.front().future();
    writer_->submit(std::move(call));
    return future;
  }
  Async<ExtendReply> extend_locks(ExtendRequest request) override {
    return call<ExtendReply>([request = std::move(request)](Engine& engine) {
      return Result<ExtendReply>(engine.extend_locks(request));
    });
  }
  Async<Recovered> recover(RecoverRequest request) override {
    return call<Recovered>(
        [request = std::move(request)](Engine& engine) { return engine.recover(request); });
  }
  Async<QueueHint> wake_delayed(QueueName queue) override {
    return call<QueueHint>([queue = std::move(queue)](Engine& engine) { return engine.wake_delayed(queue); });
  }
  Async<WorkReply> wait_for_work(WorkRequest request) override {
    auto call = std::make_unique<WorkWait>(std::move(request));
    auto future = call->promise.future();
    writer_->submit(std::move(call));
    return future;
  }
  Async<CancelReply> cancel(JobRef job, std::string who, std::string why) override {
    return call<CancelReply>([job = std::move(job), who = std::move(who),
                              why = std::move(why)](Engine& engine) { return engine.cancel(job, who, why); });
  }
  Async<Unit> retry(JobRef job, bool reset_attempts) override {
    return call<Unit>(
        [job = std::move(job), reset_attempts](Engine& engine) { return engine.retry(job, reset_attempts); });
  }
  Async<Unit> promote(JobRef job) override {
    return call<Unit>([job = std::move(job)](Engine& engine) { return engine.promote(job); });
  }
  Async<Unit> remove(JobRef job) override {
    return call<Unit>([job = std::move(job)](Engine& engine) { return engine.remove(job); });
  }
  Async<Unit> update_data(JobRef job, std::string data) override {
    const std::uint64_t bytes = data.size() + 1;
    return call<Unit>(
        [job = std::move(job), data = std::move(data)](Engine& engine) {
          const auto problems = problems_of_job("job", data, {});
          if (!problems.empty()) return Status(Error{Errc::kInvalidArgument, problems.front()});
          return engine.update_data(job, data);
        },
        bytes);
  }
  Async<Unit> update_progress(JobRef job, std::optional<LockToken> token, std::string progress) override {
    return call<Unit>(
        [job = std::move(job), token = std::move(token), progress = std::move(progress)](Engine& engine) {
          Status valid = check_json("progress", progress, Limits{}.result_bytes);
          return valid ? engine.update_progress(job, token, progress) : valid;
        });
  }
  Async<std::uint64_t> append_logs(JobRef job, std::vector<std::string> lines) override {
    return call<std::uint64_t>([job = std::move(job), lines = std::move(lines)](Engine& engine) {
      return engine.append_logs(job, lines);
    });
  }
  Async<Unit> change_delay(JobRef job, Duration delay) override {
    JobOptions options;
    options.delay = delay;
    if (const auto problems = problems_of(options); !problems.empty())
      return answer<Unit>(Error{Errc::kInvalidArgument, problems.front()});
    return call<Unit>(
        [job = std::move(job), delay](Engine& engine) { return engine.change_delay(job, delay); });
  }
  Async<Unit> change_priority(JobRef job, std::uint32_t priority, bool lifo) override {
    return call<Unit>([job = std::move(job), priority, lifo](Engine& engine) {
      return engine.change_priority(job, priority, lifo);
    });
  }

  // ---- reading
  Async<Job> get(JobRef job) override {
    return read<Job>([job = std::move(job)](Snapshot& snapshot) { return snapshot.get(job); });
  }
  Async<State> state(JobRef job) override {
    return read<State>([job = std::move(job)](Snapshot& snapshot) { return snapshot.state(job); });
  }
  Async<Position> position(JobRef job) override {
    return read<Position>([job = std::move(job)](Snapshot& snapshot) { return snapshot.position(job); });
  }
  Async<std::vector<QueueName>> queues() override {
    return read<std::vector<QueueName>>([](Snapshot& snapshot) { return snapshot.queues(); });
  }
  Async<Counts> counts(QueueName queue) override {
    return read<Counts>([queue = std::move(queue)](Snapshot& snapshot) { return snapshot.counts(queue); });
  }
  Async<std::vector<Job>> range(RangeRequest request) override {
    return read<std::vector<Job>>(
        [request = std::move(request)](Snapshot& snapshot) { return snapshot.range(request); });
  }
  Async<LogPage> logs(JobRef job, std::uint64_t offset, std::uint32_t limit) override {
    return read<LogPage>([job = std::move(job), offset, limit](Snapshot& snapshot) {
      return snapshot.logs(job, offset, limit);
    });
  }
  Async<std::vector<WaitingFunction>> waiting_functions(QueueName queue, std::string function_field,
                                                        std::uint32_t limit) override {
    return read<std::vector<WaitingFunction>>(
        [queue = std::move(queue), field = std::move(function_field), limit](Snapshot& snapshot) {
          return snapshot.waiting_functions(queue, field, limit);
        });
  }

  // ---- administration
  Async<Unit> pause(QueueName queue) override {
    return call<Unit>([queue = std::move(queue)](Engine& engine) { return engine.pause(queue); });
  }
  Async<Unit> resume(QueueName queue) override {
    return call<Unit>([queue = std::move(queue)](Engine& engine) { return engine.resume(queue); });
  }
  Async<std::uint64_t> drain(QueueName queue, bool delayed_too) override {
    return remove_in_batches(
        [queue, delayed_too](Engine& engine, std::uint64_t limit) {
          return engine.drain(queue, delayed_too, limit);
        },
        [](Engine&, std::uint64_t) {}, UINT64_MAX);
  }
  Async<std::uint64_t> clean(QueueName queue, State state, Duration grace, std::uint64_t limit) override {
    return remove_in_batches(
        [queue, state, grace](Engine& engine, std::uint64_t step) {
          return engine.clean(queue, state, grace, step);
        },
        [queue](Engine& engine, std::uint64_t removed) { (void)engine.cleaned(queue, removed); },
        limit == 0 ? UINT64_MAX : limit);
  }
  Async<Unit> obliterate(QueueName queue, bool force) override {
    Promise<Result<Unit>> done;
    auto removed = remove_in_batches(
        [queue, force](Engine& engine, std::uint64_t step) { return engine.obliterate(queue, force, step); },
        [](Engine&, std::uint64_t) {}, UINT64_MAX);
    std::move(removed).then(
        [done](Result<std::uint64_t> count) { done.set(count ? ok() : Status(count.error())); });
    return done.future();
  }
  Async<Unit> set_global_concurrency(QueueName, std::optional<std::uint32_t>) override {
    return lacks<Unit>(Capability::kGlobalConcurrency);
  }
  Async<Unit> set_rate_limit(QueueName, std::optional<RateLimit>) override {
    return lacks<Unit>(Capability::kRateLimit);
  }
  Async<Unit> remove_deduplication(QueueName, std::string) override {
    return lacks<Unit>(Capability::kDeduplication);
  }

  // ---- events
  Async<EventPage> events(QueueName queue, std::string cursor, std::uint32_t limit,
                          Duration at_most) override {
    Promise<Result<EventPage>> promise;
    const Instant until = clock_.now() + at_most;
    if (cursor == "$" && at_most > Duration{0}) {
      // Only the writer knows the newest event before this call.
      wait_for_events(promise, queue, std::nullopt, limit, until, false);
      return promise.future();
    }
    readers_->post([this, promise, queue = std::move(queue), cursor = std::move(cursor), limit, at_most,
                    until](Result<Snapshot*> snapshot) {
      auto page = snapshot ? (*snapshot)->events(queue, cursor, limit) : Result<EventPage>(snapshot.error());
      if (!page || !page->events.empty() || at_most <= Duration{0}) return deliver(promise, std::move(page));
      wait_for_events(promise, queue, std::stoull(page->cursor), limit, until, page->gap);
    });
    return promise.future();
  }

 private:
  template <class T>
  void deliver(const Promise<Result<T>>& promise, Result<T> value) {
    completions_.post([promise, value = std::move(value)]() mutable { promise.set(std::move(value)); });
  }
  template <class T>
  Async<T> answer(Result<T> value) {
    Promise<Result<T>> promise;
    deliver(promise, std::move(value));
    return promise.future();
  }
  template <class T>
  Async<T> lacks(Capability capability) {
    return answer<T>(
        Error{Errc::kUnsupported, fmt::format("the embedded store lacks {}", to_string(capability))});
  }
  template <class T, class Function>
  Async<T> call(Function function, std::uint64_t added_bytes = 0) {
    Promise<Result<T>> promise;
    auto future = promise.future();
    writer_->submit(std::unique_ptr<Operation>(
        std::make_unique<Call<T, Function>>(std::move(promise), std::move(function), added_bytes)));
    return future;
  }
  template <class Remove, class Finally>
  Async<std::uint64_t> remove_in_batches(Remove remove, Finally finally, std::uint64_t limit) {
    Promise<Result<std::uint64_t>> promise;
    auto future = promise.future();
    writer_->submit(std::unique_ptr<Operation>(std::make_unique<BatchedRemoval<Remove, Finally>>(
        std::move(promise), std::move(remove), std::move(finally), limit)));
    return future;
  }
  template <class T, class Function>
  Async<T> read(Function function) {
    Promise<Result<T>> promise;
    auto future = promise.future();
    readers_->post([this, promise, function = std::move(function)](Result<Snapshot*> snapshot) {
      if (!snapshot) return deliver(promise, Result<T>(snapshot.error()));
      Result<T> found = function(**snapshot);
      const Status intact = (*snapshot)->intact();
      deliver(promise, intact ? std::move(found) : Result<T>(intact.error()));
    });
    return future;
  }
  /// Lets the writer wait for an event after `after`, and a reader then read the page.
  void wait_for_events(const Promise<Result<EventPage>>& promise, const QueueName& queue,
                       std::optional<std::uint64_t> after, std::uint32_t limit, Instant until, bool gap) {
    auto read = [this, promise, queue, limit, gap](std::uint64_t from) {
      readers_->post([this, promise, queue, limit, gap, from](Result<Snapshot*> snapshot) {
        auto page = snapshot ? (*snapshot)->events(queue, std::to_string(from), limit)
                             : Result<EventPage>(snapshot.error());
        if (page) page->gap = page->gap || gap;
        deliver(promise, std::move(page));
      });
    };
    writer_->submit(std::make_unique<EventWait>(queue, after, until, promise, std::move(read)));
  }

  const Clock& clock_;
  Executor& completions_;
  const std::filesystem::path folder_;
  const std::uint64_t store_id_;
  Fd lock_, data_lock_;
  std::unique_ptr<LmdbEnv> env_;
  std::unique_ptr<Readers> readers_;
  std::unique_ptr<Writer> writer_;
  std::optional<BackgroundCheck> background_check_;
  std::optional<FolderWatch> folder_watch_;
};

}  // namespace

Result<std::unique_ptr<EmbeddedStore>> open_embedded(EmbeddedOptions options, const Clock& clock,
                                                     Executor& completions) {
  GAUR_CHECK(check_folder_owner(options.folder));
  GAUR_CHECK(make_folders(options.folder, 0750));
  GAUR_TRY(Fd lock, lock_folder(options.folder));
  LmdbOptions lmdb{store_path(options.folder), options.map_bytes, options.durability == Durability::kRelaxed};
  const Now now{clock.wall(), clock.now()};
  const Instant check_end = clock.now() + options.check_limit;
  GAUR_TRY(FoundStore found, find_or_create_store(options.folder, lmdb, options.semantics, now,
                                                  [&] { return clock.now() < check_end; }));
  lmdb.create = found.check.format->version < kDiskFormat;
  GAUR_CHECK(allocate_lock_file(lmdb.folder));
  GAUR_TRY(auto env, LmdbEnv::open(lmdb));
  report_check(found.check, *env, options.log);
  if (found.created) options.log.info("a new store was created", {{"folder", options.folder.string()}});
  auto engine = Engine::open(*env, options.semantics, now, options.count_active);
  if (!engine) {
    return Error{engine.error().code,
                 fmt::format("cannot open the store {}: {}{}", lmdb.folder.string(), engine.error().message,
                             engine.error().code == Errc::kCorrupt ? "; " + damage_advice() : "")};
  }
  if (Status marked = mark_store(options.folder, *env, (*engine)->store_id()); !marked)
    options.log.warn("the file store-id could not be written", {{"problem", marked.error().message}});
  return std::unique_ptr<EmbeddedStore>(
      std::make_unique<LmdbStore>(std::move(lock), std::move(found.lock), std::move(env), *std::move(engine),
                                  found.check.complete, options, clock, completions));
}

}  // namespace gaur
