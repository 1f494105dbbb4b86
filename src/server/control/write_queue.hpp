#pragma once

#include <cstddef>
#include <deque>
#include <mutex>

#include "portunus/v1/control.pb.h"

namespace portunus::server::control {

/// The messages of one stream between the domain, which queues them, and gRPC's threads, which
/// write one after the other: bounded, one in flight. Holds its lock for a few instructions, never
/// over a call; says what to do next, does nothing itself.
class WriteQueue {
 public:
  /// The one in flight included (control-wire 1.2).
  static constexpr std::size_t kMessages = 32;

  // The domain's side.

  /// False when the queue is full; written() then tells when it is half empty again.
  bool has_room();
  /// The message to be written now, nothing while another is in flight. It stays in place until
  /// written().
  const v1::ServerMessage* push(v1::ServerMessage message);
  /// Drops what is not in flight and takes nothing more; false while a write is in flight, whose
  /// written() then says idle.
  bool close();

  // gRPC's side.

  struct Next {
    const v1::ServerMessage* message = nullptr;  ///< to be written now
    bool room = false;                           ///< the domain waits for room, and here it is
    bool idle = false;                           ///< closed, and nothing is in flight any more
  };
  /// The message in flight was written, or not.
  Next written(bool ok);

 private:
  std::mutex mutex_;
  std::deque<v1::ServerMessage> messages_;  ///< its front is in flight while writing_
  bool writing_ = false;
  bool closed_ = false;
  bool room_wanted_ = false;
};

}  // namespace portunus::server::control
