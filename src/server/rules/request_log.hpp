#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/async/task.hpp"
#include "common/base/ids.hpp"
#include "common/base/result.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::rules {

/// One operator's wait for the status of a push. The waiting coroutine and the log share it.
class StatusWait {
 public:
  /// How it ended. A status that arrived in time is waited for until it is stored, however long
  /// that takes.
  enum class End : std::uint8_t { settled, lost, timed_out };

  explicit StatusWait(boost::asio::any_io_executor executor) : timer_(std::move(executor)) {}

  async::Task<End> wait(std::chrono::steady_clock::duration limit);
  /// Set when the end is `settled`: the rule as it stands, or why it is not active.
  const std::optional<Result<store::RuleRow>>& answer() const { return answer_; }

  bool open() const { return state_ == State::open; }
  /// The status is here; its result follows with settle().
  void arrived();
  void settle(Result<store::RuleRow> answer);
  /// The stream is gone. Changes nothing once the status is here.
  void lose();

 private:
  enum class State : std::uint8_t { open, arrived, settled, lost, timed_out };
  void leave_open(State state);

  boost::asio::steady_timer timer_;
  State state_ = State::open;
  std::optional<Result<store::RuleRow>> answer_;
};

/// The requests of the live sessions that the edges have not answered yet, so that a status finds
/// what it answers (control-wire 6.3). An entry lives no longer than the session it was sent in.
class RequestLog {
 public:
  enum class Kind : std::uint8_t { push, replay, remove };
  struct Request {
    Kind kind;
    std::string client_id;
    RuleId rule;
    std::shared_ptr<StatusWait> wait;  ///< of a push
  };

  void add(std::string request_id, Request request);
  /// Takes the request out when id, client and rule all agree.
  std::optional<Request> take(std::string_view request_id, std::string_view client_id, RuleId rule);
  /// The open wait for that rule, if any.
  std::shared_ptr<StatusWait> open_wait(std::string_view client_id, RuleId rule) const;

  /// The session is over: its waits are lost.
  void end_session(std::string_view client_id);
  void end_all();
  /// The client's rule is gone: nothing will become of its push.
  void end_rule(std::string_view client_id, RuleId rule, const Error& answer);

 private:
  using Requests = std::map<std::string, Request, std::less<>>;  ///< by request id
  /// Apart by client: a fleet that returns at once has all its replays open together.
  std::map<std::string, Requests, std::less<>> clients_;
};

}  // namespace portunus::server::rules
