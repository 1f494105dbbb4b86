#include "dataplane/forwarder/activation.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>

#include "dataplane/tcp/listen_sockets.hpp"
#include "dataplane/tcp/tcp_rule.hpp"
#include "dataplane/udp/bind_ports.hpp"
#include "dataplane/udp/udp_rule.hpp"

namespace portunus::dataplane {
namespace {

namespace asio = boost::asio;
using Rule = std::shared_ptr<ActiveRule>;
using Refused = std::optional<std::uint16_t>;

constexpr std::uint32_t kPorts = 65'535;

bool in_range(std::uint16_t first, std::uint32_t count) {
  return first > 0 && count > 0 && first + count - 1 <= kPorts;
}

rules::CoreReports reports_to(const asio::any_io_executor& owner, const Rule& rule) {
  return {
      .on_gone = [owner, rule] { asio::post(owner, [rule] { rule->on_core_done(); }); },
      .on_died =
          [owner, rule](std::string role) {
            asio::post(owner, [rule, role = std::move(role)] { rule->on_died(role); });
          },
  };
}

}  // namespace

async::Task<Refused> add_to_cores(Cores& cores, asio::any_io_executor owner, Rule rule,
                                  AddToCore add) {
  struct Answers {
    explicit Answers(const asio::any_io_executor& executor) : all(executor, SteadyTime::max()) {}
    unsigned missing = 0;
    Refused refused;
    asio::steady_timer all;
  };
  const auto answers = std::make_shared<Answers>(owner);
  answers->missing = cores.size();
  cores.post_each([owner, rule, answers, add = std::move(add)](Core& core) {
    const Refused refused = add(core, reports_to(owner, rule));
    asio::post(owner, [answers, refused] {
      if (refused && (!answers->refused || *refused < *answers->refused)) {
        answers->refused = refused;
      }
      if (--answers->missing == 0) answers->all.cancel();
    });
  });
  while (answers->missing > 0) co_await answers->all.async_wait(async::kTuple);
  co_return answers->refused;
}

namespace {

async::Task<std::optional<StartFailure>> add_or_undo(Cores& cores, asio::any_io_executor owner,
                                                     Rule rule, AddToCore add) {
  const Refused refused = co_await add_to_cores(cores, owner, rule, std::move(add));
  if (!refused) co_return std::nullopt;
  close_listeners(cores, owner, rule);
  cancel_sessions(cores, rule);
  co_await rule->wait_gone();
  co_return StartFailure{"bind_failed", refused};
}

}  // namespace

std::optional<StartFailure> check_rule(const model::RuleSpec& spec) {
  if (!in_range(spec.listen_port, spec.ports)) return StartFailure{"range_invalid"};
  if (spec.targets.empty() || spec.targets.size() > model::kMaxTargets) {
    return StartFailure{"invalid_target_host"};
  }
  for (std::size_t row = 0; row < spec.targets.size(); ++row) {
    const model::Target& target = spec.targets[row];
    // What is not canonical has passed nobody who checks.
    const auto host = model::parse_target_host(target.host);
    if (!host || *host != target.host) return StartFailure{"invalid_target_host"};
    if (target.port == 0) return StartFailure{"target_invalid_port:" + std::to_string(row)};
  }
  if (spec.sni_pattern && spec.protocol != model::Protocol::tcp) {
    return StartFailure{"unsupported_protocol"};
  }
  const bool combines = !spec.multi_target() && !spec.sni_pattern;
  if (spec.ports > 1 && !(combines && in_range(spec.target().port, spec.ports))) {
    return StartFailure{"range_invalid"};
  }
  return std::nullopt;
}

async::Task<std::optional<StartFailure>> start_tcp(Cores& cores, asio::any_io_executor owner,
                                                   Rule rule, bool splice) {
  const model::RuleSpec& spec = rule->rule()->spec();
  auto bound = tcp::bind_ports(spec.listen_port, spec.ports, cores.size());
  if (!bound) co_return StartFailure{std::string(bound.error().reason), bound.error().port};
  const auto sockets = std::make_shared<tcp::ListenSockets>(std::move(*bound));
  const auto shared = std::make_shared<tcp::TcpRule>(rule->rule(), splice);
  AddToCore add = [sockets, shared](Core& core, rules::CoreReports reports) {
    return core.tcp.add(shared, std::move((*sockets)[core.index]), std::move(reports));
  };
  co_return co_await add_or_undo(cores, owner, rule, std::move(add));
}

async::Task<std::optional<StartFailure>> start_udp(Cores& cores, asio::any_io_executor owner,
                                                   Rule rule) {
  const model::RuleSpec& spec = rule->rule()->spec();
  auto bound = udp::bind_ports(spec.listen_port, spec.ports, cores.size(), cores.udp_offload().gro);
  if (!bound) co_return StartFailure{std::string(bound.error().reason), bound.error().port};
  const auto sockets = std::make_shared<udp::BoundPorts>(std::move(*bound));
  AddToCore add = [sockets, shared = rule->udp()](Core& core, rules::CoreReports reports) {
    return core.udp.add(shared, std::move((*sockets)[core.index]), std::move(reports));
  };
  co_return co_await add_or_undo(cores, owner, rule, std::move(add));
}

void close_listeners(Cores& cores, const asio::any_io_executor& owner, const Rule& rule) {
  cores.post_each([owner, rule](Core& core) {
    core.close_listeners(*rule->rule());
    asio::post(owner, [rule] { rule->on_listeners_closed(); });
  });
}

void cancel_sessions(Cores& cores, const Rule& rule) {
  cores.post_each([rule](Core& core) { core.cancel(*rule->rule()); });
}

}  // namespace portunus::dataplane
