#include "dataplane/forwarder/active_rule.hpp"

#include <utility>

#include "dataplane/forwarder/rule_events.hpp"

namespace portunus::dataplane {

ActiveRule::ActiveRule(boost::asio::any_io_executor owner, std::shared_ptr<rules::LiveRule> rule,
                       unsigned cores)
    : rule_(std::move(rule)),
      listening_(cores),
      busy_(cores),
      deadline_timer_(owner),
      changed_(owner, SteadyTime::max()) {}

void ActiveRule::begin_removal(SteadyTime deadline, std::function<void()> abort) {
  removing_ = true;
  abort_ = std::move(abort);
  deadline_ = deadline;
  arm();
}

void ActiveRule::hurry(SteadyTime deadline) {
  if (gone() || !abort_ || deadline >= deadline_) return;
  deadline_ = deadline;
  arm();
}

void ActiveRule::detach() {
  abort_ = failed_ = nullptr;
  died_ = nullptr;
  deadline_timer_.cancel();
}

void ActiveRule::begin_failure(std::function<void()> gone) {
  failed_ = std::move(gone);
}

void ActiveRule::watch_death(std::function<void(const std::string&)> died) {
  died_ = std::move(died);
  if (dead_role_) died_(*dead_role_);
}

void ActiveRule::arm() {
  deadline_timer_.expires_at(deadline_);
  deadline_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& ec) {
    if (!ec && !self->gone() && self->abort_) self->abort_();
  });
}

void ActiveRule::on_listeners_closed() {
  if (--listening_ == 0) changed_.cancel();
}

void ActiveRule::on_core_done() {
  if (--busy_ > 0) return;
  deadline_timer_.cancel();
  changed_.cancel();
  if (removing_) {
    if (udp_) log_deactivated(*rule_);
    log_removed(*rule_);
  }
  if (const auto failed = std::exchange(failed_, nullptr)) failed();
}

void ActiveRule::on_died(const std::string& role) {
  if (dead_role_) return;
  dead_role_ = role;
  if (died_) died_(role);
}

async::Task<> ActiveRule::wait_port_free() {
  while (!port_free()) co_await changed_.async_wait(async::kTuple);
}

async::Task<> ActiveRule::wait_gone() {
  while (!gone()) co_await changed_.async_wait(async::kTuple);
}

}  // namespace portunus::dataplane
