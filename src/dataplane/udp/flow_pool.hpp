#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "dataplane/udp/flow.hpp"

namespace portunus::dataplane::udp {

/// One worker's flows, in blocks that live as long as the worker: a new flow does not allocate once
/// the pool has grown to the load, and a late event never points outside of a flow.
class FlowPool {
 public:
  /// Nothing when memory is out.
  Flow* take();
  void put(Flow& flow) { free_.push_back(&flow); }
  std::size_t blocks() const { return blocks_.size(); }

  static constexpr std::size_t kBlock = 64;

 private:
  std::vector<std::unique_ptr<Flow[]>> blocks_;
  /// Has room for every flow, so put() never allocates.
  std::vector<Flow*> free_;
};

}  // namespace portunus::dataplane::udp
