#include "server/rules/request_log.hpp"

#include <utility>

namespace portunus::server::rules {

async::Task<StatusWait::End> StatusWait::wait(std::chrono::steady_clock::duration limit) {
  timer_.expires_after(limit);
  while (state_ == State::open || state_ == State::arrived) {
    const auto [ec] = co_await timer_.async_wait(async::kTuple);
    if (!ec && state_ == State::open) state_ = State::timed_out;
  }
  switch (state_) {
    case State::settled:
      co_return End::settled;
    case State::lost:
      co_return End::lost;
    case State::open:
    case State::arrived:
    case State::timed_out:
      break;
  }
  co_return End::timed_out;
}

void StatusWait::leave_open(State state) {
  state_ = state;
  // Wakes the waiting coroutine; what it then waits for has no limit.
  timer_.expires_at(boost::asio::steady_timer::time_point::max());
}

void StatusWait::arrived() {
  if (state_ == State::open) leave_open(State::arrived);
}

void StatusWait::settle(Result<store::RuleRow> answer) {
  if (state_ != State::open && state_ != State::arrived) return;
  answer_.emplace(std::move(answer));
  leave_open(State::settled);
}

void StatusWait::lose() {
  if (state_ == State::open) leave_open(State::lost);
}

void RequestLog::add(std::string request_id, Request request) {
  requests_.insert_or_assign(std::move(request_id), std::move(request));
}

void RequestLog::forget(std::string_view request_id) {
  if (const auto it = requests_.find(request_id); it != requests_.end()) requests_.erase(it);
}

std::optional<RequestLog::Request> RequestLog::take(std::string_view request_id,
                                                    std::string_view client_id, RuleId rule) {
  const auto it = requests_.find(request_id);
  if (it == requests_.end() || it->second.client_id != client_id || it->second.rule != rule) {
    return std::nullopt;
  }
  Request out = std::move(it->second);
  requests_.erase(it);
  return out;
}

std::shared_ptr<StatusWait> RequestLog::open_wait(std::string_view client_id, RuleId rule) const {
  for (const auto& [id, request] : requests_) {
    if (request.wait && request.wait->open() && request.rule == rule &&
        request.client_id == client_id) {
      return request.wait;
    }
  }
  return nullptr;
}

void RequestLog::end_session(std::string_view client_id) {
  std::erase_if(requests_, [&](const auto& item) {
    if (item.second.client_id != client_id) return false;
    if (item.second.wait) item.second.wait->lose();
    return true;
  });
}

void RequestLog::end_all() {
  for (const auto& [id, request] : requests_) {
    if (request.wait) request.wait->lose();
  }
  requests_.clear();
}

void RequestLog::end_rule(RuleId rule, const Error& answer) {
  std::erase_if(requests_, [&](const auto& item) {
    if (item.second.rule != rule) return false;
    if (item.second.wait && item.second.wait->open()) item.second.wait->settle(fail(answer));
    return true;
  });
}

}  // namespace portunus::server::rules
