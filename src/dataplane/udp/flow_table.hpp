#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "dataplane/udp/flow_key.hpp"
#include "dataplane/udp/fwd.hpp"

namespace portunus::dataplane::udp {

/// One worker's flows by key: open addressing with linear probing, sixteen bytes an entry, at most
/// half full, so that a look-up usually reads one cache line. Keys come from strangers, therefore
/// the hash is keyed with a number that they cannot know. Allocates nothing before the first flow
/// and never shrinks. Owns no flow.
class FlowTable {
 public:
  explicit FlowTable(std::uint64_t secret) : secret_(secret) {}

  Flow* find(FlowKey key) const;
  /// The key must not be there. False when memory is out; then nothing has changed.
  bool insert(FlowKey key, Flow& flow);
  /// Ignores a key that is not there.
  void erase(FlowKey key);

  std::size_t size() const { return size_; }
  /// Entries there is memory for.
  std::size_t capacity() const { return entries_ ? mask_ + 1 : 0; }

 private:
  struct Entry {
    FlowKey key;
    Flow* flow = nullptr;
  };
  static constexpr std::size_t kSmallest = 64;

  std::size_t home(FlowKey key) const;
  /// Where the key is, or the free entry where it would be.
  std::size_t locate(FlowKey key) const;
  bool grow();

  const std::uint64_t secret_;
  std::unique_ptr<Entry[]> entries_;
  std::size_t mask_ = 0;
  std::size_t size_ = 0;
};

}  // namespace portunus::dataplane::udp
