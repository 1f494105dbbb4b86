// From one core of a server to another.
#include <algorithm>
#include <atomic>
#include <boost/asio/post.hpp>
#include <memory>
#include <utility>

#include "portal/quic/endpoint.hpp"
#include "portal/quic/packet_receiver.hpp"

namespace portunus::portal::quic {
namespace {

/// More than that is a flood, or a core that does not keep up: both lose packets, as on the way.
constexpr unsigned kMostWaiting = 1024;

}  // namespace

struct Cores::Core {
  boost::asio::io_context* context = nullptr;
  std::weak_ptr<Endpoint> endpoint;
  std::atomic<unsigned> waiting{0};
};

Cores::Cores(unsigned count) {
  for (unsigned i = 0; i < count; ++i) cores_.push_back(std::make_unique<Core>());
}

Cores::~Cores() = default;

void Cores::set(unsigned worker, const std::shared_ptr<Endpoint>& endpoint) {
  cores_[worker]->context = &endpoint->context();
  cores_[worker]->endpoint = endpoint;
}

void Cores::hand_over(unsigned worker, const Packet& packet, unsigned socket) {
  Core& core = *cores_[worker];
  if (core.context == nullptr) return;
  if (core.waiting.fetch_add(1, std::memory_order_relaxed) >= kMostWaiting) {
    core.waiting.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  auto bytes = std::make_unique_for_overwrite<std::uint8_t[]>(packet.bytes.size());
  std::ranges::copy(packet.bytes, bytes.get());
  boost::asio::post(*core.context,
                    [&core, packet = Packet(packet), socket, bytes = std::move(bytes),
                     endpoint = core.endpoint.lock()]() mutable {
                      core.waiting.fetch_sub(1, std::memory_order_relaxed);
                      packet.bytes = {bytes.get(), packet.bytes.size()};
                      if (endpoint != nullptr) endpoint->take_handed_over(packet, socket);
                    });
}

}  // namespace portunus::portal::quic
