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
  Requests& requests = clients_[request.client_id];
  requests.insert_or_assign(std::move(request_id), std::move(request));
}

std::optional<RequestLog::Request> RequestLog::take(std::string_view request_id,
                                                    std::string_view client_id, RuleId rule) {
  const auto client = clients_.find(client_id);
  if (client == clients_.end()) return std::nullopt;
  Requests& requests = client->second;
  const auto it = requests.find(request_id);
  if (it == requests.end() || it->second.rule != rule) return std::nullopt;
  Request out = std::move(it->second);
  requests.erase(it);
  if (requests.empty()) clients_.erase(client);
  return out;
}

std::shared_ptr<StatusWait> RequestLog::open_wait(std::string_view client_id, RuleId rule) const {
  const auto client = clients_.find(client_id);
  if (client == clients_.end()) return nullptr;
  for (const auto& [id, request] : client->second) {
    if (request.wait && request.wait->open() && request.rule == rule) return request.wait;
  }
  return nullptr;
}

void RequestLog::end_session(std::string_view client_id) {
  const auto client = clients_.find(client_id);
  if (client == clients_.end()) return;
  for (const auto& [id, request] : client->second) {
    if (request.wait) request.wait->lose();
  }
  clients_.erase(client);
}

void RequestLog::end_all() {
  while (!clients_.empty()) end_session(std::string(clients_.begin()->first));
}

void RequestLog::end_rule(std::string_view client_id, RuleId rule, const Error& answer) {
  const auto client = clients_.find(client_id);
  if (client == clients_.end()) return;
  std::erase_if(client->second, [&](const auto& item) {
    if (item.second.rule != rule) return false;
    if (item.second.wait && item.second.wait->open()) item.second.wait->settle(fail(answer));
    return true;
  });
  if (client->second.empty()) clients_.erase(client);
}

}  // namespace portunus::server::rules
