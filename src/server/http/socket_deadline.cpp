#include "server/http/socket_deadline.hpp"

namespace portunus::server::http {

namespace asio = boost::asio;

/// Outlives the deadline by as long as a timer handler is on its way.
struct SocketDeadline::State {
  State(asio::ip::tcp::socket& s) : socket(&s), timer(s.get_executor()) {}
  asio::ip::tcp::socket* socket;  ///< nullptr once the deadline's owner is gone
  asio::steady_timer timer;
  unsigned setting = 0;  ///< a handler of an earlier one does nothing
  bool passed = false;
};

SocketDeadline::SocketDeadline(asio::ip::tcp::socket& socket)
    : state_(std::make_shared<State>(socket)) {}

SocketDeadline::~SocketDeadline() {
  clear();
  state_->socket = nullptr;
}

void SocketDeadline::set(std::chrono::steady_clock::duration limit) {
  ++state_->setting;
  state_->passed = false;
  watch(state_, limit);
}

void SocketDeadline::clear() {
  ++state_->setting;
  state_->timer.cancel();
}

bool SocketDeadline::passed() const {
  return state_->passed;
}

void SocketDeadline::watch(const std::shared_ptr<State>& state,
                           std::chrono::steady_clock::duration limit) {
  state->timer.expires_after(limit);
  state->timer.async_wait([state, setting = state->setting](const boost::system::error_code& ec) {
    if (ec || setting != state->setting || state->socket == nullptr) return;
    state->passed = true;
    boost::system::error_code ignored;
    state->socket->cancel(ignored);
    // A composed operation may just be between two steps, where there was nothing to cancel.
    watch(state, std::chrono::milliseconds(50));
  });
}

}  // namespace portunus::server::http
