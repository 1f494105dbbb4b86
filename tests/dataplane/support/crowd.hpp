#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/dataplane/support/sockets.hpp"

namespace portunus::test {

/// Many connections through a rule, both ends of each, driven by one thread: everybody sends as
/// much as the connection takes and receives whatever comes.
class Crowd {
 public:
  /// The rule on `port` leads to `target`.
  Crowd(std::uint16_t port, Acceptor& target, std::size_t count);

  /// Which ends send. Both ends always receive.
  struct Senders {
    bool down = false;
    bool up = false;
  };
  /// Until `done`, asked at least every 2 ms; false when patience is over.
  bool pump(Senders senders, const std::function<bool()>& done);

  /// Bytes that arrived at the ups, at the downs.
  std::uint64_t received_in() const { return received_in_; }
  std::uint64_t received_out() const { return received_out_; }
  /// Ends that have seen a clean end of stream.
  std::size_t ended_downs() const { return count(&Pair::down, false); }
  std::size_t ended_ups() const { return count(&Pair::up, false); }
  /// Ends that have seen an error.
  std::size_t broken() const { return count(&Pair::down, true) + count(&Pair::up, true); }

 private:
  struct End {
    Socket socket;
    bool sends = true;
    bool ended = false;
    bool broken = false;
  };
  struct Pair {
    End down, up;
  };
  std::size_t count(End Pair::* end, bool broken) const;
  void serve(End& end, short events, bool sends, std::uint64_t& received);

  std::vector<Pair> pairs_;
  const std::string block_ = noise(1 << 16, 7);
  std::vector<char> space_ = std::vector<char>(1 << 18);
  std::uint64_t received_in_ = 0;
  std::uint64_t received_out_ = 0;
};

}  // namespace portunus::test
