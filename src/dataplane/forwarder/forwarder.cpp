#include "dataplane/forwarder/forwarder.hpp"

#include <boost/asio/this_coro.hpp>
#include <utility>

#include "common/async/io_threads.hpp"
#include "dataplane/forwarder/activation.hpp"
#include "dataplane/forwarder/active_rule.hpp"
#include "dataplane/forwarder/cores.hpp"
#include "dataplane/forwarder/rule_events.hpp"
#include "dataplane/forwarder/rule_table.hpp"
#include "dataplane/forwarder/sni_groups.hpp"
#include "dataplane/owners/owner_scope.hpp"

namespace portunus::dataplane {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using Rule = RuleTable::Rule;

SteadyTime deadline_after(Clock::duration grace) {
  const SteadyTime now = Clock::now();
  return grace > SteadyTime::max() - now ? SteadyTime::max() : now + grace;
}

/// Ranges of more than one port name the port (data-plane section 2).
std::string reason_text(const model::RuleSpec& spec, const StartFailure& failure) {
  if (spec.ports == 1 || !failure.port) return failure.reason;
  return failure.reason + ":" + std::to_string(*failure.port);
}

}  // namespace

class Forwarder::Impl {
 public:
  Impl(asio::any_io_executor owner, const ForwarderOptions& options);
  ~Impl();

  async::Task<std::expected<void, std::string>> activate(model::RuleSpec spec,
                                                         model::UdpSettings udp);
  async::Task<model::RuleTraffic> remove(RuleId id, Clock::duration grace);
  async::Task<> drain(Clock::duration grace);
  const SniGroups& sni() const { return sni_; }

  RuleTable table;
  owners::OwnerRegistry owner_scopes;
  OnRuleFailed notify_failed;

 private:
  async::Task<std::optional<StartFailure>> start_rule(const model::RuleSpec& spec,
                                                      const model::UdpSettings& udp);
  async::Task<std::optional<StartFailure>> start_listening(const Rule& rule);
  bool bound_plainly(std::uint16_t port) const;
  async::Task<> wait_ports_free(const model::RuleSpec& spec);
  static async::Task<model::RuleTraffic> wait_gone(RuleId id, Rule rule);
  void begin_removal(const Rule& rule, Clock::duration grace);
  void cut(const owners::OwnerRegistry::Scope& owner);
  void on_rule_died(const Rule& rule, const std::string& role);

  const asio::any_io_executor owner_;
  const bool splice_;
  const log::Level death_level_;
  Cores cores_;
  SniGroups sni_;
};

Forwarder::Impl::Impl(asio::any_io_executor owner, const ForwarderOptions& options)
    : owner_scopes([this](const owners::OwnerRegistry::Scope& owner) { cut(owner); }),
      owner_(std::move(owner)),
      splice_(options.splice),
      death_level_(options.death_level),
      cores_(options.workers > 0 ? options.workers : async::IoThreads::core_count(),
             options.dns_servers, options.udp_offload),
      sni_(cores_, owner_, splice_) {}

Forwarder::Impl::~Impl() {
  table.for_each_live([](ActiveRule& rule) { rule.detach(); });
  for (const Rule& rule : table.leaving()) rule->detach();
  cores_.stop();
}

async::Task<std::expected<void, std::string>> Forwarder::Impl::activate(model::RuleSpec spec,
                                                                        model::UdpSettings udp) {
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  const std::optional<StartFailure> failure = co_await start_rule(spec, udp);
  co_await asio::this_coro::throw_if_cancelled(throws);
  if (!failure) co_return std::expected<void, std::string>();
  std::string reason = reason_text(spec, *failure);
  log_failed(log::info(log::Event::rule_failed).level, spec, reason, failure->port);
  co_return std::unexpected(std::move(reason));
}

void Forwarder::Impl::cut(const owners::OwnerRegistry::Scope& owner) {
  cores_.post_each([owner](Core& core) { core.cut(*owner); });
}

async::Task<std::optional<StartFailure>> Forwarder::Impl::start_rule(
    const model::RuleSpec& spec, const model::UdpSettings& udp) {
  if (const auto failure = check_rule(spec)) co_return failure;
  if (table.find(spec.id)) co_return StartFailure{"duplicate_rule_id"};
  if (cores_.stopped()) co_return StartFailure{"bind_failed"};
  co_await wait_ports_free(spec);
  auto live =
      std::make_shared<rules::LiveRule>(spec, owner_scopes.scope(spec.owner_id), cores_.size());
  auto rule = std::make_shared<ActiveRule>(owner_, live, cores_.size());
  if (spec.protocol == model::Protocol::udp) {
    rule->set_udp(std::make_shared<udp::UdpRule>(live, udp));
  }
  const auto failure = co_await start_listening(rule);
  if (failure) co_return failure;
  table.add(rule);
  log_activated(*live);
  if (rule->udp()) log_udp_started(*rule->udp());
  cores_.start_probes(rule->rule());
  rule->watch_death([this, weak = std::weak_ptr(rule)](const std::string& role) {
    if (const Rule dead = weak.lock()) on_rule_died(dead, role);
  });
  co_return std::nullopt;
}

/// SNI-2: the first TCP rule of a port decides whether connections are asked for a name.
async::Task<std::optional<StartFailure>> Forwarder::Impl::start_listening(const Rule& rule) {
  if (rule->udp()) co_return co_await start_udp(cores_, owner_, rule);
  const model::RuleSpec& spec = rule->rule()->spec();
  co_await sni_.settled(spec.listen_port);
  if (spec.sni_pattern && bound_plainly(spec.listen_port)) {
    co_return StartFailure{"mode_change_unsupported"};
  }
  const bool joins = spec.sni_pattern || (spec.ports == 1 && sni_.in_sni_mode(spec.listen_port));
  const auto failure =
      co_await (joins ? sni_.join(rule) : start_tcp(cores_, owner_, rule, splice_));
  co_return failure;
}

/// A live rule of this one port has it for itself.
bool Forwarder::Impl::bound_plainly(std::uint16_t port) const {
  if (sni_.in_sni_mode(port)) return false;
  bool found = false;
  table.for_each_live([&](const ActiveRule& rule) {
    const model::RuleSpec& spec = rule.rule()->spec();
    found |= spec.protocol == model::Protocol::tcp && spec.ports == 1 && spec.listen_port == port;
  });
  return found;
}

async::Task<> Forwarder::Impl::wait_ports_free(const model::RuleSpec& spec) {
  const std::vector<Rule> leaving = table.leaving();
  for (const Rule& rule : leaving) {
    const model::RuleSpec& other = rule->rule()->spec();
    if (other.protocol != spec.protocol || !other.overlaps(spec)) continue;
    co_await rule->wait_port_free();
  }
}

async::Task<model::RuleTraffic> Forwarder::Impl::remove(RuleId id, Clock::duration grace) {
  const Rule rule = table.retire(id);
  if (rule) begin_removal(rule, grace);
  return wait_gone(id, rule);
}

async::Task<model::RuleTraffic> Forwarder::Impl::wait_gone(RuleId id, Rule rule) {
  model::RuleTraffic nothing;
  nothing.rule = id;
  if (!rule) co_return nothing;
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await rule->wait_gone();
  co_await asio::this_coro::throw_if_cancelled(throws);
  co_return rule->rule()->traffic();
}

void Forwarder::Impl::begin_removal(const Rule& rule, Clock::duration grace) {
  rule->begin_removal(deadline_after(grace), [this, weak = std::weak_ptr(rule)] {
    if (const Rule late = weak.lock()) cancel_sessions(cores_, late);
  });
  sni_.leave(*rule->rule());
  cores_.stop_probes(rule->rule());
  close_listeners(cores_, owner_, rule);
}

void Forwarder::Impl::on_rule_died(const Rule& rule, const std::string& role) {
  const RuleId id = rule->rule()->id();
  // A rule that is being removed may lose its parts.
  if (table.find(id) != rule) return;
  table.retire(id);
  rule->begin_failure([this, rule, reason = "unexpected_task_exit:" + role] {
    log_failed(death_level_, rule->rule()->spec(), reason, std::nullopt);
    if (notify_failed) notify_failed(rule->rule()->traffic(), reason);
  });
  sni_.leave(*rule->rule());
  cores_.stop_probes(rule->rule());
  close_listeners(cores_, owner_, rule);
  cancel_sessions(cores_, rule);
}

async::Task<> Forwarder::Impl::drain(Clock::duration grace) {
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  const SteadyTime deadline = deadline_after(grace);
  for (const Rule& rule : table.leaving()) rule->hurry(deadline);
  while (const Rule rule = table.any_live()) {
    table.retire(rule->rule()->id());
    begin_removal(rule, grace);
  }
  const std::vector<Rule> leaving = table.leaving();
  for (const Rule& rule : leaving) co_await rule->wait_gone();
  cores_.stop();
  co_await asio::this_coro::throw_if_cancelled(throws);
}

Forwarder::Forwarder(asio::any_io_executor owner, ForwarderOptions options)
    : impl_(std::make_unique<Impl>(std::move(owner), options)) {}

Forwarder::~Forwarder() = default;

void Forwarder::on_rule_failed(OnRuleFailed notify) {
  impl_->notify_failed = std::move(notify);
}

async::Task<std::expected<void, std::string>> Forwarder::activate(model::RuleSpec rule,
                                                                  model::UdpSettings udp) {
  return impl_->activate(std::move(rule), udp);
}

async::Task<model::RuleTraffic> Forwarder::remove(RuleId id, Clock::duration grace) {
  return impl_->remove(id, grace);
}

void Forwarder::limit_rule(RuleId id, const std::optional<model::RateLimit>& envelope) {
  if (const Rule rule = impl_->table.find(id)) {
    rule->rule()->limiter().apply(envelope, Clock::now());
  }
}

void Forwarder::tune_udp(RuleId id, model::UdpSettings udp) {
  const Rule rule = impl_->table.find(id);
  if (rule && rule->udp()) rule->udp()->tune(udp);
}

void Forwarder::limit_owner(std::string_view owner_id,
                            const std::optional<model::RateLimit>& envelope) {
  if (const auto scope = impl_->owner_scopes.scope(owner_id)) {
    scope->limiter.apply(envelope, Clock::now());
  }
}

void Forwarder::set_quota(std::string_view owner_id, std::uint64_t remaining, bool exhausted) {
  if (const auto scope = impl_->owner_scopes.scope(owner_id))
    scope->quota.set(remaining, exhausted);
}

void Forwarder::remove_quota(std::string_view owner_id) {
  if (const auto scope = impl_->owner_scopes.scope(owner_id)) scope->quota.remove();
}

bool Forwarder::live(RuleId id) const {
  return impl_->table.find(id) != nullptr;
}

std::vector<model::RuleTraffic> Forwarder::counters() const {
  std::vector<model::RuleTraffic> all;
  impl_->table.for_each_live(
      [&all](const ActiveRule& rule) { all.push_back(rule.rule()->traffic()); });
  return all;
}

std::optional<model::RuleTraffic> Forwarder::counters(RuleId id) const {
  const Rule rule = impl_->table.find(id);
  return rule ? std::optional(rule->rule()->traffic()) : std::nullopt;
}

std::vector<model::RuleTraffic> Forwarder::draining() const {
  std::vector<model::RuleTraffic> all;
  for (const auto& rule : impl_->table.leaving()) all.push_back(rule->rule()->traffic());
  return all;
}

std::vector<model::LocalTraffic> Forwarder::local_counters() const {
  std::vector<model::LocalTraffic> all;
  impl_->table.for_each_live(
      [&all](const ActiveRule& rule) { all.push_back(rule.rule()->counters().local()); });
  return all;
}

std::vector<model::SniPortTraffic> Forwarder::sni_ports() const {
  return impl_->sni().traffic();
}

std::vector<model::OwnerTraffic> Forwarder::owners() const {
  return impl_->owner_scopes.traffic();
}

async::Task<> Forwarder::drain(Clock::duration grace) {
  return impl_->drain(grace);
}

}  // namespace portunus::dataplane
