#pragma once

#include <boost/asio/steady_timer.hpp>
#include <memory>

#include "common/base/clock.hpp"
#include "portal/relay/byte_stream.hpp"

namespace portunus::portal::client {

/// Aborts a stream at an instant, unless destroyed before: the bound of a step whose operations end
/// only by an abort. On the stream's thread.
class AbortAt {
 public:
  AbortAt(boost::asio::any_io_executor executor, relay::ByteStream& stream, SteadyTime instant)
      : state_(std::make_shared<State>(std::move(executor), stream, instant)) {
    state_->timer.async_wait([state = state_](const boost::system::error_code& ec) {
      if (!ec) state->expire();
    });
  }
  ~AbortAt() {
    state_->stream = nullptr;
    state_->timer.cancel();
  }
  AbortAt(const AbortAt&) = delete;
  AbortAt& operator=(const AbortAt&) = delete;

  bool expired() const { return state_->expired; }

 private:
  struct State {
    State(boost::asio::any_io_executor executor, relay::ByteStream& what, SteadyTime instant)
        : timer(std::move(executor), instant), stream(&what) {}
    /// Also from a handler that stood in the queue when the owner went.
    void expire() {
      if (stream == nullptr) return;
      expired = true;
      stream->abort();
    }
    boost::asio::steady_timer timer;
    relay::ByteStream* stream;
    bool expired = false;
  };
  std::shared_ptr<State> state_;
};

}  // namespace portunus::portal::client
