#pragma once

namespace portunus::datagrams {

/// What the kernel does for a run of datagrams of one size in a single pass through its stack:
/// hand them over joined (UDP GRO), and split them when they leave (UDP GSO).
struct Offload {
  bool gro = false;
  bool gso = false;

  /// Asks the kernel. Without either everything works the same, one datagram at a time.
  static Offload of_host();
};

}  // namespace portunus::datagrams
