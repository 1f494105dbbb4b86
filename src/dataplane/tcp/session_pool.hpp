#pragma once

#include <memory>
#include <vector>

#include "dataplane/tcp/tcp_session.hpp"

namespace portunus::dataplane::tcp {

/// One worker's sessions, in blocks that live as long as the worker: accepting does not allocate
/// once the pool has grown to the load, and a late event never points outside of a session.
class SessionPool {
 public:
  /// Nothing when memory is out.
  TcpSession* take();
  void put(TcpSession& session) { free_.push_back(&session); }

 private:
  static constexpr std::size_t kBlock = 64;
  std::vector<std::unique_ptr<TcpSession[]>> blocks_;
  /// Has room for every session, so put() never allocates.
  std::vector<TcpSession*> free_;
};

}  // namespace portunus::dataplane::tcp
