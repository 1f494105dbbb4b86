#include "dataplane/forwarder/sni_groups.hpp"

#include <boost/asio/steady_timer.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "common/log/logger.hpp"
#include "dataplane/forwarder/sni_members.hpp"
#include "dataplane/tcp/listen_sockets.hpp"
#include "dataplane/tcp/sni_group.hpp"
#include "dataplane/tcp/tcp_rule.hpp"

namespace portunus::dataplane {
namespace {

using log::Event;

void log_rule(Event event, const model::RuleSpec& rule) {
  log::log(event, {{"listen_port", rule.listen_port}, {"rule_id", std::to_string(rule.id.value)}});
}

void log_members(Event event, const model::RuleSpec& rule, std::size_t members) {
  log::log(event, {{"listen_port", rule.listen_port},
                   {"rule_id", std::to_string(rule.id.value)},
                   {"members", members}});
}

}  // namespace

struct SniGroups::Port {
  Port(const boost::asio::any_io_executor& owner, std::uint16_t number, unsigned cores)
      : group(std::make_shared<tcp::SniGroup>(number, cores)), opened(owner, SteadyTime::max()) {}

  const std::shared_ptr<tcp::SniGroup> group;
  SniMembers members;
  /// The cores have not all answered yet.
  bool opening = true;
  /// Never expires; cancelling wakes those who wait for the answers.
  boost::asio::steady_timer opened;
};

SniGroups::SniGroups(Cores& cores, boost::asio::any_io_executor owner, bool splice)
    : cores_(cores), owner_(std::move(owner)), splice_(splice) {}

SniGroups::~SniGroups() = default;

bool SniGroups::in_sni_mode(std::uint16_t port) const {
  return ports_.contains(port);
}

std::shared_ptr<SniGroups::Port> SniGroups::find(std::uint16_t number) const {
  const auto it = ports_.find(number);
  return it == ports_.end() ? nullptr : it->second;
}

void SniGroups::erase(std::uint16_t number) {
  const std::lock_guard lock(mutex_);
  ports_.erase(number);
}

async::Task<> SniGroups::settled(std::uint16_t number) {
  for (auto port = find(number); port && port->opening; port = find(number)) {
    co_await port->opened.async_wait(async::kTuple);
  }
}

async::Task<std::optional<StartFailure>> SniGroups::join(Rule rule) {
  auto port = find(rule->rule()->spec().listen_port);
  return port ? join_open(std::move(port), std::move(rule)) : open(std::move(rule));
}

async::Task<std::optional<StartFailure>> SniGroups::open(Rule rule) {
  const model::RuleSpec& spec = rule->rule()->spec();
  auto bound = tcp::bind_ports(spec.listen_port, 1, cores_.size());
  if (!bound) co_return StartFailure{std::string(bound.error().reason), bound.error().port};
  const auto sockets = std::make_shared<tcp::ListenSockets>(std::move(*bound));
  const auto member = std::make_shared<tcp::TcpRule>(rule->rule(), splice_, tcp::PortMode::sni);
  const auto port = std::make_shared<Port>(owner_, spec.listen_port, cores_.size());
  port->members.add(member);
  {
    const std::lock_guard lock(mutex_);
    ports_.emplace(spec.listen_port, port);
  }
  AddToCore add = [sockets, member, group = port->group, routes = port->members.routes()](
                      Core& core, rules::CoreReports reports) -> std::optional<std::uint16_t> {
    core.tcp.add(member, {}, std::move(reports));
    auto& pair = (*sockets)[core.index].front();
    if (core.tcp.sni.open(group, std::move(pair), routes)) return std::nullopt;
    return group->listen_port();
  };
  const auto refused = co_await add_to_cores(cores_, owner_, rule, std::move(add));
  port->opening = false;
  if (!refused) {
    port->opened.cancel();
    log_rule(Event::sni_listener_bound, spec);
    log_members(Event::sni_member_added, spec, 1);
    co_return std::nullopt;
  }
  erase(spec.listen_port);
  port->opened.cancel();
  cores_.post_each([group = port->group](Core& core) { core.tcp.sni.close(*group); });
  close_listeners(cores_, owner_, rule);
  cancel_sessions(cores_, rule);
  co_await rule->wait_gone();
  co_return StartFailure{"bind_failed", refused};
}

async::Task<std::optional<StartFailure>> SniGroups::join_open(std::shared_ptr<Port> port,
                                                              Rule rule) {
  const model::RuleSpec& spec = rule->rule()->spec();
  if (const auto conflict = port->members.conflict(spec)) {
    log::log(Event::sni_table_rebuild_failed,
             {{"listen_port", spec.listen_port}, {"error", *conflict}});
    co_return StartFailure{"duplicate_rule_id"};
  }
  const auto member = std::make_shared<tcp::TcpRule>(rule->rule(), splice_, tcp::PortMode::sni);
  port->members.add(member);
  log_members(Event::sni_member_added, spec, port->members.size());
  AddToCore add = [member, group = port->group, routes = port->members.routes()](
                      Core& core, rules::CoreReports reports) -> std::optional<std::uint16_t> {
    core.tcp.add(member, {}, std::move(reports));
    core.tcp.sni.set_routes(*group, routes);
    return std::nullopt;
  };
  co_await add_to_cores(cores_, owner_, rule, std::move(add));
  co_return std::nullopt;
}

void SniGroups::leave(const rules::LiveRule& rule) {
  const model::RuleSpec& spec = rule.spec();
  const auto port = find(spec.listen_port);
  if (!port || !port->members.remove(spec.id)) return;
  log_members(Event::sni_member_removed, spec, port->members.size());
  if (!port->members.empty()) {
    cores_.post_each([group = port->group, routes = port->members.routes()](Core& core) {
      core.tcp.sni.set_routes(*group, routes);
    });
    return;
  }
  erase(spec.listen_port);
  cores_.post_each([group = port->group](Core& core) { core.tcp.sni.close(*group); });
  log_rule(Event::sni_listener_unbound, spec);
}

std::vector<model::SniPortTraffic> SniGroups::traffic() const {
  std::vector<model::SniPortTraffic> all;
  const std::lock_guard lock(mutex_);
  all.reserve(ports_.size());
  for (const auto& [number, port] : ports_) all.push_back(port->group->counters().totals());
  return all;
}

}  // namespace portunus::dataplane
