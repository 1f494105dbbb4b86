#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "portal/relay/byte_stream.hpp"

namespace portunus::portal::client {

/// Takes what comes back on a UDP flow. Called on the transport's thread; must not destroy the flow
/// from within on_packet().
class UdpReceiver {
 public:
  virtual ~UdpReceiver() = default;
  /// One packet of the target; the bytes are gone when this returns.
  virtual void on_packet(std::span<const std::uint8_t> payload) = 0;
  /// The flow carries nothing any more; called once at most, and not by the flow's destruction.
  virtual void on_closed(const Error& why) = 0;
};

/// One UDP flow to one target. Destroying it tells the Portal that it is over.
class UdpFlow {
 public:
  virtual ~UdpFlow() = default;
  /// Queues one packet, empty ones too. False when it is lost at once, as a packet may be: there is
  /// no room, it is larger than the carrier takes, or there is no connection. Never waits.
  virtual bool send(std::span<const std::uint8_t> payload) = 0;
  /// Called when a burst of packets has been queued; those that were only queued leave now.
  virtual void flush() = 0;
};

/// One carrier to one Portal (portal 18): authenticated connections over which targets are reached.
/// Lives on one executor, where all calls must be made; must be drained before it is destroyed.
/// The Portal never acknowledges, so a target that cannot be reached shows as an end without data.
class Transport {
 public:
  virtual ~Transport() = default;

  /// Told why what connects by itself, ahead of any use, came to nothing or ended. Before start().
  void on_trouble(std::function<void(const Error& why)> told) { trouble_ = std::move(told); }

  /// Starts connecting ahead.
  virtual void start() = 0;
  /// A byte stream to `target` (host:port; portal 6.5). The stream may outlive request_stop(), and
  /// must be gone before the transport is.
  virtual async::Task<Result<std::unique_ptr<relay::ByteStream>>> open_tcp(std::string target) = 0;
  /// A UDP flow to `target`. `receiver` must outlive the flow.
  virtual async::Task<Result<std::unique_ptr<UdpFlow>>> open_udp(std::string target,
                                                                 UdpReceiver& receiver) = 0;

  /// Nothing new is opened, waiting calls end with Errc::stopped; what is open goes on. Idempotent.
  virtual void request_stop() = 0;
  /// Closes what is warm and, once `grace` is over, everything else. True when nothing was cut off.
  virtual async::Task<bool> drain(std::chrono::steady_clock::duration grace) = 0;

 protected:
  void report(const Error& why) const {
    if (trouble_) trouble_(why);
  }

 private:
  std::function<void(const Error& why)> trouble_;
};

}  // namespace portunus::portal::client
