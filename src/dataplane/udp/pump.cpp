#include "dataplane/udp/pump.hpp"

#include "dataplane/udp/send_result.hpp"

namespace portunus::dataplane::udp {

Carried Pump::carry(std::span<const Datagrams> pieces) {
  Carried carried;
  bool going = true;
  for (const Datagrams& piece : pieces) {
    if (going) {
      going = carry_piece(piece, carried);
    } else {
      carried.unsent += piece.count;
    }
  }
  if (going) send(carried);
  return carried;
}

bool Pump::carry_piece(Datagrams piece, Carried& carried) {
  while (!piece.empty()) {
    Datagrams part = piece.take(toll_.free() ? piece.count : 1);
    if (!toll_.free()) {
      if (toll_.full() && !send(carried)) {
        carried.unsent += part.count + piece.count;
        return false;
      }
      const Toll::Verdict verdict = toll_.ask(part.size);
      if (verdict == Toll::Verdict::bandwidth) ++carried.shaped_out;
      if (verdict != Toll::Verdict::pass) continue;
    }
    for (batch_.add(part); !part.empty(); batch_.add(part)) {
      if (!send(carried)) {
        carried.unsent += part.count + piece.count;
        return false;
      }
    }
  }
  return true;
}

bool Pump::send(Carried& carried) {
  if (batch_.empty()) return true;
  const Sent sent = batch_.send();
  toll_.settle(sent.datagrams);
  carried.bytes += sent.bytes;
  carried.datagrams += sent.datagrams;
  carried.unsent += sent.unsent;
  if (sent.error == 0) return true;
  carried.error = sent.error;
  if (classify(sent.error) == SendResult::too_long) ++carried.too_long;
  carried.evicts = classify(sent.error) == SendResult::evicts;
  return !carried.evicts;
}

}  // namespace portunus::dataplane::udp
