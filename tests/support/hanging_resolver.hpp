#pragma once

#include <gtest/gtest.h>
#include <netdb.h>

#include <atomic>

#include "tests/support/eventually.hpp"

namespace portunus::test {

/// A system resolver whose name servers are dead, until it is let go. One at a time in a process;
/// its end lets every lookup go and waits for it.
class HangingResolver {
 public:
  HangingResolver() {
    let_go_ = false;
    asked_ = answered_ = 0;
  }
  ~HangingResolver() {
    answer_all();
    EXPECT_TRUE(eventually([] { return answered_ == asked_; }));
  }
  HangingResolver(const HangingResolver&) = delete;
  HangingResolver& operator=(const HangingResolver&) = delete;

  /// In the place of ::getaddrinfo.
  static int resolve(const char*, const char*, const addrinfo*, addrinfo**) {
    ++asked_;
    let_go_.wait(false);
    ++answered_;
    return EAI_AGAIN;
  }

  void answer_all() {
    let_go_ = true;
    let_go_.notify_all();
  }
  int asked() const { return asked_; }
  int answered() const { return answered_; }

 private:
  static inline std::atomic<bool> let_go_{false};
  static inline std::atomic<int> asked_{0};
  static inline std::atomic<int> answered_{0};
};

}  // namespace portunus::test
