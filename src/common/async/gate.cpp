#include "common/async/gate.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <utility>

#include "common/base/assert.hpp"
#include "common/base/deadline.hpp"

namespace portunus::async {

Gate::Gate(asio::any_io_executor executor)
    : executor_(executor), changed_(executor, asio::steady_timer::time_point::max()) {}

Gate::~Gate() {
  PORTUNUS_ASSERT(running_.empty());
}

void Gate::spawn(Task<void> task) {
  if (closed_) return;
  const auto self = running_.emplace(running_.end());
  auto done = [this, self](std::exception_ptr error) {
    PORTUNUS_ASSERT(error == nullptr);
    running_.erase(self);
    if (running_.empty()) changed_.cancel();
  };
  asio::co_spawn(executor_, std::move(task),
                 asio::bind_cancellation_slot(self->slot(), std::move(done)));
}

void Gate::request_stop() {
  closed_ = true;
  for (auto it = running_.begin(); it != running_.end();) {
    const auto next = std::next(it);  // a cancelled task may end, and leave the list, right here
    it->emit(asio::cancellation_type::terminal);
    it = next;
  }
}

Task<bool> Gate::drain(std::chrono::steady_clock::duration grace) {
  const SteadyTime deadline = deadline_after(std::chrono::steady_clock::now(), grace);
  changed_.expires_at(deadline);
  while (!running_.empty() && std::chrono::steady_clock::now() < deadline) {
    const auto [ec] = co_await changed_.async_wait(kTuple);
    if (!ec) break;
  }
  co_return running_.empty();
}

}  // namespace portunus::async
