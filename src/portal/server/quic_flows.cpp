#include "portal/server/quic_flows.hpp"

#include <utility>

#include "portal/server/quic_flow.hpp"
#include "portal/server/session_record.hpp"

namespace portunus::portal::server {
namespace {

/// A client's share of the process's descriptors (portal 12 lets us refuse new flows).
constexpr std::size_t kMostFlows = 1024;

}  // namespace

QuicFlows::~QuicFlows() = default;

void QuicFlows::take(protocol::Bytes datagram) {
  const auto view = protocol::decode_datagram(core_.all.spec, datagram);
  if (!view) {
    if (!core_.all.log.shown(log::Level::debug)) return;
    return log(log::Level::debug, "datagram dropped: ", view.error().code.message());
  }
  switch (view->type) {
    case protocol::DatagramType::request:
      return request(*view);
    case protocol::DatagramType::response:
      return log(log::Level::debug, "datagram dropped: ", "a response");
    case protocol::DatagramType::close:
      if (const auto found = flows_.find(KeyView{view->flow_id, view->target});
          found != flows_.end()) {
        const auto flow = found->second;
        flow->close();
      }
      return;
  }
}

void QuicFlows::request(const protocol::DatagramView& view) {
  const auto found = flows_.find(KeyView{view.flow_id, view.target});
  if (found != flows_.end()) {
    const auto flow = found->second;  // a send that fails removes it from the table
    return flow->send(view.payload);
  }
  if (flows_.size() >= kMostFlows) {
    return log(log::Level::debug, "datagram dropped: ", "too many flows of one connection");
  }
  auto flow = std::make_shared<QuicFlow>(*this, view.flow_id, std::string(view.target));
  flows_.emplace(Key{view.flow_id, flow->target()}, flow);
  flow->send(view.payload);
  gate_.spawn(QuicFlow::run(std::move(flow)));
}

void QuicFlows::remove(const QuicFlow& flow) {
  const auto found = flows_.find(KeyView{flow.id(), flow.target()});
  if (found != flows_.end() && found->second.get() == &flow) flows_.erase(found);
}

void QuicFlows::close_all() {
  auto flows = std::exchange(flows_, {});
  for (const auto& [key, flow] : flows) flow->close();
}

void QuicFlows::log(log::Level level, std::string_view what, std::string_view detail) const {
  if (!core_.all.log.shown(level)) return;
  record(core_.all.log, level, "quic", connection_.remote_endpoint(), what, detail);
}

}  // namespace portunus::portal::server
