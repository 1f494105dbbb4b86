#pragma once

#include <cstring>

#include "common/net/endpoint.hpp"

namespace portunus::net {

/// As Asio has it: `Protocol` is its ip::tcp or ip::udp.
template <class Protocol>
typename Protocol::endpoint asio_endpoint(const Endpoint& endpoint) {
  sockaddr_storage storage;
  const socklen_t size = endpoint.to_sockaddr(storage);
  typename Protocol::endpoint out;
  out.resize(size);
  std::memcpy(out.data(), &storage, size);
  return out;
}

}  // namespace portunus::net
