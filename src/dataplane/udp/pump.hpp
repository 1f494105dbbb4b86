#pragma once

#include <cstdint>
#include <span>

#include "common/datagrams/datagrams.hpp"
#include "dataplane/udp/send_batch.hpp"
#include "dataplane/udp/toll.hpp"

namespace portunus::dataplane::udp {

/// What became of the datagrams that one flow had in one direction.
struct Carried {
  std::uint64_t bytes = 0;      ///< of those accepted
  std::uint32_t datagrams = 0;  ///< accepted
  std::uint32_t shaped_out = 0;
  /// Not accepted by the socket, for whatever reason.
  std::uint32_t unsent = 0;
  /// Those of them that were too long (EMSGSIZE).
  std::uint32_t too_long = 0;
  /// Of the last send that failed; 0 = none did, or nobody said why.
  int error = 0;
  /// `error` means that the target is gone; what followed was not tried.
  bool evicts = false;
};

/// Moves one flow's datagrams through the toll into one socket. A worker has one; it keeps nothing
/// between two calls of carry().
class Pump {
 public:
  explicit Pump(SendMany call) : batch_(call) {}

  /// To be set up for the flow and the direction before carry().
  SendBatch& batch() { return batch_; }
  Toll& toll() { return toll_; }

  Carried carry(std::span<const Datagrams> pieces);

 private:
  /// False when the rest must not be tried.
  bool carry_piece(Datagrams piece, Carried& carried);
  bool send(Carried& carried);

  SendBatch batch_;
  Toll toll_;
};

}  // namespace portunus::dataplane::udp
