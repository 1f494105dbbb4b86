#include "tests/dataplane/support/engine.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <utility>

#include "tests/dataplane/support/sockets.hpp"

namespace portunus::test {

namespace asio = boost::asio;

namespace {

/// The member functions called on the owner's thread, where the coroutine then runs.
async::Task<std::string> activate_there(dataplane::Forwarder& forwarder, model::RuleSpec spec) {
  const auto result = co_await forwarder.activate(std::move(spec));
  co_return result ? "" : result.error();
}

async::Task<> remove_there(dataplane::Forwarder& forwarder, RuleId id,
                           std::chrono::milliseconds grace) {
  co_await forwarder.remove(id, grace);
}

async::Task<> drain_there(dataplane::Forwarder& forwarder, std::chrono::milliseconds grace) {
  co_await forwarder.drain(grace);
}

}  // namespace

Engine::Engine(dataplane::ForwarderOptions options)
    : work_(asio::make_work_guard(context_)),
      thread_([this] { context_.run(); }),
      forwarder_(std::make_unique<dataplane::Forwarder>(context_.get_executor(), options)) {
  forwarder_->on_rule_failed([this](const model::RuleTraffic& last, const std::string& reason) {
    failures_.push_back(std::to_string(last.rule.value) + " " + reason);
  });
}

Engine::~Engine() {
  destroy();
  work_.reset();
}

model::RuleSpec Engine::rule(std::uint64_t id, std::uint16_t listen_port, std::uint16_t target_port,
                             std::string host) {
  model::RuleSpec spec;
  spec.id = RuleId{id};
  spec.listen_port = listen_port;
  spec.targets = {{.host = std::move(host), .port = target_port}};
  return spec;
}

std::string Engine::activate(model::RuleSpec spec) {
  return begin_activate(std::move(spec)).get();
}

std::future<std::string> Engine::begin_activate(model::RuleSpec spec) {
  return asio::co_spawn(context_, activate_there(*forwarder_, std::move(spec)), asio::use_future);
}

model::RuleSpec Engine::list(std::uint64_t id, const std::vector<std::uint16_t>& target_ports) {
  model::RuleSpec spec;
  spec.id = RuleId{id};
  spec.listed = true;
  for (const std::uint16_t port : target_ports) {
    spec.targets.push_back({.host = "127.0.0.1",
                            .port = port,
                            .priority = static_cast<std::uint32_t>(spec.targets.size())});
  }
  return spec;
}

std::uint16_t Engine::serve(std::uint64_t id, std::uint16_t target_port) {
  return serve(rule(id, 0, target_port));
}

std::uint16_t Engine::serve(model::RuleSpec spec) {
  while (true) {
    spec.listen_port = free_ports(spec.ports);
    const std::string failure = activate(spec);
    if (failure.empty()) return spec.listen_port;
    if (!failure.starts_with("port_in_use")) throw std::runtime_error(failure);
  }
}

std::future<void> Engine::remove(std::uint64_t id, std::chrono::milliseconds grace) {
  return asio::co_spawn(context_, remove_there(*forwarder_, RuleId{id}, grace), asio::use_future);
}

std::future<void> Engine::drain(std::chrono::milliseconds grace) {
  return asio::co_spawn(context_, drain_there(*forwarder_, grace), asio::use_future);
}

bool Engine::live(std::uint64_t id) {
  return asio::post(context_, asio::use_future([this, id] { return forwarder_->live(RuleId{id}); }))
      .get();
}

void Engine::tune_udp(std::uint64_t id, model::UdpSettings settings) {
  const auto work = [this, id, settings] { forwarder_->tune_udp(RuleId{id}, settings); };
  asio::post(context_, asio::use_future(work)).get();
}

void Engine::set_quota(const std::string& owner, std::uint64_t remaining, bool exhausted) {
  const auto work = [&] { forwarder_->set_quota(owner, remaining, exhausted); };
  asio::post(context_, asio::use_future(work)).get();
}

std::vector<std::string> Engine::failures() {
  return asio::post(context_, asio::use_future([this] { return failures_; })).get();
}

model::RuleTraffic Engine::traffic(std::uint64_t id) const {
  for (const auto& entry : forwarder_->counters()) {
    if (entry.rule == RuleId{id}) return entry;
  }
  return {};
}

void Engine::destroy() {
  if (!forwarder_) return;
  asio::post(context_, asio::use_future([this] { forwarder_.reset(); })).get();
}

}  // namespace portunus::test
