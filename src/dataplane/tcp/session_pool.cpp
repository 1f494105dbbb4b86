#include "dataplane/tcp/session_pool.hpp"

#include <new>

namespace portunus::dataplane::tcp {

TcpSession* SessionPool::take() {
  if (free_.empty()) {
    std::unique_ptr<TcpSession[]> block(new (std::nothrow) TcpSession[kBlock]);
    if (!block) return nullptr;
    free_.reserve((blocks_.size() + 1) * kBlock);
    for (std::size_t i = kBlock; i > 0; --i) free_.push_back(&block[i - 1]);
    blocks_.push_back(std::move(block));
  }
  TcpSession* session = free_.back();
  free_.pop_back();
  return session;
}

}  // namespace portunus::dataplane::tcp
