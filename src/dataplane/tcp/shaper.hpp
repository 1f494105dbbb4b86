#pragma once

#include <cstddef>

#include "dataplane/tcp/token_lane.hpp"

namespace portunus::dataplane::tcp {

/// What a shaped direction belongs to: goes on when its tokens have come.
class ShapedFlow {
 public:
  virtual void on_unparked(limits::Direction direction) = 0;

 protected:
  ~ShapedFlow() = default;
};

/// Pays for one direction of a connection on the capped path: owner tokens first, then the rule's,
/// and waits in the lane of the layer that has none (data-plane section 5, RL-7). Tokens are taken
/// for bytes that the direction holds already; what was paid to the owner is not paid twice when
/// the rule makes it wait. Belongs to its session; lives on the worker's thread.
class Shaper final : private TokenWaiter {
 public:
  /// `owner` is null for a rule without one.
  Shaper(ShapedFlow& flow, TokenLane* owner, TokenLane& rule)
      : flow_(flow), owner_(owner), rule_(rule) {}
  ~Shaper() { TokenWaiter::leave(); }
  Shaper(const Shaper&) = delete;
  Shaper& operator=(const Shaper&) = delete;

  /// How much to read at once under the caps in force (data-plane section 1).
  std::size_t chunk() const;
  /// How many of `held` bytes may be delivered now. 0: the direction is parked until
  /// on_unparked().
  std::size_t pay(std::size_t held);
  using TokenWaiter::leave;

 private:
  void on_tokens(std::size_t bytes) override;

  ShapedFlow& flow_;
  TokenLane* const owner_;
  TokenLane& rule_;
  /// Bytes that the owner's tokens, but not yet the rule's, are taken for.
  std::size_t owner_paid_ = 0;
  /// Both, handed out by the next pay().
  std::size_t paid_ = 0;
};

/// Both directions of one connection.
struct Shapers {
  Shapers(ShapedFlow& flow, TokenLanes* owner, TokenLanes& rule)
      : in(flow, owner != nullptr ? &owner->in : nullptr, rule.in),
        out(flow, owner != nullptr ? &owner->out : nullptr, rule.out) {}
  Shaper in;
  Shaper out;
};

}  // namespace portunus::dataplane::tcp
