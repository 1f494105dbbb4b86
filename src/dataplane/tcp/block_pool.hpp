#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace portunus::dataplane::tcp {

/// One worker's connection objects of a kind, in blocks that live as long as the worker: accepting
/// does not allocate once the pool has grown to the load, and a late event never points outside of
/// an object.
template <class Object>
class BlockPool {
 public:
  /// Nothing when memory is out.
  Object* take() {
    if (free_.empty() && !grow()) return nullptr;
    Object* object = free_.back();
    free_.pop_back();
    return object;
  }
  void put(Object& object) { free_.push_back(&object); }

 private:
  static constexpr std::size_t kBlock = 64;

  bool grow() {
    std::unique_ptr<Object[]> block(new (std::nothrow) Object[kBlock]);
    if (!block) return false;
    free_.reserve((blocks_.size() + 1) * kBlock);
    for (std::size_t i = kBlock; i > 0; --i) free_.push_back(&block[i - 1]);
    blocks_.push_back(std::move(block));
    return true;
  }

  std::vector<std::unique_ptr<Object[]>> blocks_;
  /// Has room for every object, so put() never allocates.
  std::vector<Object*> free_;
};

}  // namespace portunus::dataplane::tcp
