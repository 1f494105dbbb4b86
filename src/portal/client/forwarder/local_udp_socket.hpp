#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "common/base/result.hpp"
#include "common/net/endpoint.hpp"
#include "common/net/unique_fd.hpp"

namespace portunus::portal::client::forwarder {

/// A bound local UDP port: datagrams in, many with one call, and single ones out. Never waits.
class LocalUdpSocket {
 public:
  static constexpr unsigned kBatch = 32;
  static constexpr std::size_t kMostBytes = 65'535;

  static Result<LocalUdpSocket> bind(const net::Endpoint& local);

  int fd() const { return fd_.get(); }
  const net::Endpoint& local() const { return local_; }

  /// Takes what is there, kBatch datagrams at most; their number. A fault of one earlier send
  /// (ICMP) is passed over: it says nothing of this port.
  unsigned receive();
  /// Of the last receive(), until the next one.
  std::span<const std::uint8_t> payload(unsigned index) const;
  const sockaddr_storage& source(unsigned index) const;

  /// False when the datagram is lost.
  bool send(const sockaddr_storage& to, std::span<const std::uint8_t> payload) const;

 private:
  struct Batch {
    std::array<mmsghdr, kBatch> headers;
    std::array<iovec, kBatch> vectors;
    std::array<sockaddr_storage, kBatch> sources;
    /// Pages that no datagram reaches never come into being.
    std::unique_ptr<std::uint8_t[]> memory;
  };
  LocalUdpSocket(net::UniqueFd fd, net::Endpoint local);

  net::UniqueFd fd_;
  net::Endpoint local_;
  std::unique_ptr<Batch> batch_;
};

}  // namespace portunus::portal::client::forwarder
