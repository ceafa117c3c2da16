#include "runner/system_process_host.hpp"

#include "runner/runner_io.hpp"

namespace gaur {

SystemProcessHost::SystemProcessHost(Executor& loop, ProcessHostOptions options)
    : io_(std::make_unique<RunnerIo>(loop, std::move(options))) {}
SystemProcessHost::~SystemProcessHost() = default;

void SystemProcessHost::listen(std::weak_ptr<ProcessEvents> events) {
  io_->post([io = io_.get(), events = std::move(events)] { io->set_events(events); });
}
void SystemProcessHost::empty_folder(std::filesystem::path folder) {
  io_->post([io = io_.get(), folder = std::move(folder)] { io->empty_folder(folder); });
}
void SystemProcessHost::start(SpawnSpec spec) {
  io_->post([io = io_.get(), spec = std::move(spec)] { io->start(spec); });
}
void SystemProcessHost::run(RunnerId id, std::string frame, std::uint64_t memory_bytes) {
  io_->with(id, [io = io_.get(), frame = std::move(frame), memory_bytes](Child& child) {
    io->run(child, frame, memory_bytes);
  });
}
void SystemProcessHost::send(RunnerId id, std::string frame) {
  io_->with(id, [io = io_.get(), frame = std::move(frame)](Child& child) { io->send(child, frame); });
}
void SystemProcessHost::close_input(RunnerId id) {
  io_->with(id, [io = io_.get()](Child& child) { io->close_input(child); });
}
void SystemProcessHost::empty_out(RunnerId id) {
  io_->with(id, [io = io_.get()](Child& child) { io->empty_out(child); });
}
void SystemProcessHost::terminate(RunnerId id) {
  io_->with(id, [io = io_.get()](Child& child) { io->command(child, keeper::Command::kTerminate); });
}
void SystemProcessHost::kill(RunnerId id) {
  io_->with(id, [io = io_.get()](Child& child) { io->command(child, keeper::Command::kKill); });
}
void SystemProcessHost::release_scratch(RunnerId id, std::filesystem::path scratch) {
  io_->post([io = io_.get(), id, scratch = std::move(scratch)] { io->release_scratch(id, scratch); });
}

}  // namespace gaur
