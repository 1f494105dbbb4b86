#pragma once

#include <cstdint>

namespace portunus::server::http {

/// How many bytes of request bodies a listener holds at once, received and not yet done with
/// (http-api 1). Only bytes that have come count, so an announced length alone takes nothing from
/// others. Lives on the connections' executor and outlives them.
class BodyBudget {
 public:
  /// `spared` bytes of each body are free: ordinary requests fit there, and whoever fills the
  /// budget with large ones cannot shut them out.
  BodyBudget(std::uint64_t limit, std::uint64_t spared) : limit_(limit), spared_(spared) {}

  std::uint64_t used() const { return used_; }

  /// What one connection holds; gives it back when it goes.
  class Share {
   public:
    explicit Share(BodyBudget& budget) : budget_(budget) {}
    ~Share() { release(); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    /// The body has `size` bytes by now; false, and nothing taken, when that does not fit.
    bool grow_to(std::uint64_t size) {
      const std::uint64_t counted = size > budget_.spared_ ? size - budget_.spared_ : 0;
      if (counted <= held_) return true;
      if (counted - held_ > budget_.limit_ - budget_.used_) return false;
      budget_.used_ += counted - held_;
      held_ = counted;
      return true;
    }
    void release() {
      budget_.used_ -= held_;
      held_ = 0;
    }

   private:
    BodyBudget& budget_;
    std::uint64_t held_ = 0;
  };

 private:
  const std::uint64_t limit_;
  const std::uint64_t spared_;
  std::uint64_t used_ = 0;  ///< never above limit_
};

}  // namespace portunus::server::http
