#include "dataplane/udp/flow_pool.hpp"

#include <new>

namespace portunus::dataplane::udp {

Flow* FlowPool::take() {
  if (free_.empty()) {
    std::unique_ptr<Flow[]> block(new (std::nothrow) Flow[kBlock]);
    if (!block) return nullptr;
    free_.reserve((blocks_.size() + 1) * kBlock);
    for (std::size_t i = kBlock; i > 0; --i) free_.push_back(&block[i - 1]);
    blocks_.push_back(std::move(block));
  }
  Flow* flow = free_.back();
  free_.pop_back();
  return flow;
}

}  // namespace portunus::dataplane::udp
