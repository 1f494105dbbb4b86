#include "tests/dataplane/udp/rig.hpp"

#include <stdexcept>
#include <utility>

#include "tests/dataplane/support/datagram_sockets.hpp"

namespace portunus::test {

namespace udp = dataplane::udp;
namespace dns = dataplane::dns;

Rig::Rig(RigOptions options) : gro_(options.offload), threads_("rig", options.workers) {
  const datagrams::Offload offload =
      options.offload ? datagrams::Offload::of_host() : datagrams::Offload{};
  for (unsigned i = 0; i < options.workers; ++i) {
    pollers_.push_back(std::make_unique<dataplane::reactor::Poller>(threads_.context(i)));
    if (!pollers_.back()->start()) throw std::runtime_error("poller");
    udp::Worker::Options worker{.offload = offload,
                                .resolve =
                                    [this](std::string name, boost::asio::any_io_executor reply_to,
                                           dns::Resolver::Handler handler) {
                                      resolve(name, std::move(reply_to), std::move(handler));
                                    },
                                .send = options.send};
    workers_.push_back(
        std::make_unique<udp::Worker>(threads_.context(i), *pollers_.back(), i, std::move(worker)));
  }
  threads_.start();
}

Rig::~Rig() {
  for (unsigned i = 0; i < threads_.size(); ++i) {
    on_worker(i, [this, i] {
      workers_[i]->stop();
      pollers_[i]->stop();
    });
  }
  threads_.join();
}

model::RuleSpec Rig::rule(std::uint16_t target_port, std::string host) {
  model::RuleSpec spec;
  spec.id = RuleId{1};
  spec.protocol = model::Protocol::udp;
  spec.listen_port = free_udp_port();
  spec.targets = {{.host = std::move(host), .port = target_port}};
  return spec;
}

Rig::Rule Rig::serve(model::RuleSpec spec, model::UdpSettings settings,
                     std::shared_ptr<dataplane::owners::OwnerScope> owner) {
  auto bound = udp::bind_ports(spec.listen_port, spec.ports, threads_.size(), gro_);
  if (!bound) throw std::runtime_error(std::string(bound.error().reason));
  auto live = std::make_shared<dataplane::rules::LiveRule>(std::move(spec), std::move(owner),
                                                           threads_.size());
  auto rule = std::make_shared<udp::UdpRule>(std::move(live), settings);
  for (unsigned i = 0; i < threads_.size(); ++i) {
    const auto refused = on_worker(i, [&, i] {
      return workers_[i]->add(rule, std::move((*bound)[i]), {.on_gone = [] {}, .on_died = {}});
    });
    if (refused) throw std::runtime_error("poller refused");
  }
  return rule;
}

void Rig::remove(const Rule& rule) {
  for (unsigned i = 0; i < threads_.size(); ++i) {
    on_worker(i, [&, i] { workers_[i]->remove(rule->live()); });
  }
}

void Rig::cut(const dataplane::owners::OwnerScope& owner) {
  for (unsigned i = 0; i < threads_.size(); ++i) {
    on_worker(i, [&, i] { workers_[i]->cut(owner); });
  }
}

void Rig::resolve(const std::string& name, boost::asio::any_io_executor reply_to,
                  dns::Resolver::Handler handler) {
  const std::lock_guard lock(mutex_);
  ++lookups_;
  const auto known = answers_.find(name);
  if (known == answers_.end()) {
    waiting_[name].push_back({std::move(reply_to), std::move(handler)});
    return;
  }
  boost::asio::post(reply_to, [reply = known->second, handler = std::move(handler)]() mutable {
    handler(reply);
  });
}

void Rig::answer(const std::string& name, std::vector<std::string> addresses,
                 std::chrono::seconds fresh, dns::Answer::Source source) {
  if (addresses.empty()) return refuse(name, {dns::Failure::nxdomain, "no such name"});
  auto all = std::make_shared<dns::Addresses>();
  for (const std::string& text : addresses) {
    const auto address = net::IpAddress::parse(text).value();
    (address.is_v6() ? all->v6 : all->v4).push_back(address);
  }
  all->fresh_until = std::chrono::steady_clock::now() + fresh;
  settle(name, dns::Answer{std::move(all), source});
}

void Rig::refuse(const std::string& name, dns::LookupError error) {
  settle(name, std::unexpected(std::move(error)));
}

void Rig::settle(const std::string& name, dns::Resolver::Reply reply) {
  const std::lock_guard lock(mutex_);
  for (Waiting& waiting : waiting_[name]) {
    boost::asio::post(waiting.reply_to,
                      [reply, handler = std::move(waiting.handler)]() mutable { handler(reply); });
  }
  waiting_.erase(name);
  answers_.insert_or_assign(name, std::move(reply));
}

void Rig::forget(const std::string& name) {
  const std::lock_guard lock(mutex_);
  answers_.erase(name);
}

}  // namespace portunus::test
