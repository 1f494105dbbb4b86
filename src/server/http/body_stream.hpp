#pragma once

#include <string>

#include "common/async/task.hpp"

namespace portunus::server::http {

/// A body that comes piece by piece for as long as it lasts (http-api 9.2). The connection asks for
/// a piece only when the one before is written, so what a slow peer does not take waits with the
/// stream, which must bound it. Everything on the domain executor.
class BodyStream {
 public:
  virtual ~BodyStream() = default;
  /// The next piece, waited for; empty = the end. One call at a time.
  virtual async::Task<std::string> next() = 0;
  /// Nothing more is wanted: a call of next() that waits, and every later one, ends with the end.
  /// Idempotent.
  virtual void close() = 0;
};

}  // namespace portunus::server::http
