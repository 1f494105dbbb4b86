#include "server/rules/request_log.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "server/rules/errc.hpp"
#include "tests/support/test_io.hpp"

namespace portunus::server::rules {
namespace {

using End = StatusWait::End;
using Kind = RequestLog::Kind;
using namespace std::chrono_literals;

TEST(StatusWait, times_out) {
  test::TestIo io;
  StatusWait wait(io.executor());
  EXPECT_EQ(io.run(wait.wait(0s)), End::timed_out);
  EXPECT_FALSE(wait.open());
  wait.settle(fail(Errc::rule_not_found));  // too late
  EXPECT_FALSE(wait.answer());
}

TEST(StatusWait, a_status_in_time_has_no_limit_for_being_stored) {
  test::TestIo io;
  StatusWait wait(io.executor());
  auto end = io.start(wait.wait(1ms));
  wait.arrived();
  std::this_thread::sleep_for(2ms);  // past the limit of the wait
  io.poll();
  EXPECT_FALSE(end->has_value());
  wait.lose();  // a lost stream does not undo a status
  wait.settle(store::RuleRow{});
  io.run_until([&] { return end->has_value(); });
  EXPECT_EQ(**end, End::settled);
  EXPECT_TRUE(wait.answer()->has_value());
}

TEST(StatusWait, is_lost_with_its_stream) {
  test::TestIo io;
  StatusWait wait(io.executor());
  auto end = io.start(wait.wait(10s));
  io.poll();
  wait.lose();
  io.run_until([&] { return end->has_value(); });
  EXPECT_EQ(**end, End::lost);
}

TEST(RequestLog, takes_only_what_agrees_in_everything) {
  RequestLog log;
  log.add("r1", {Kind::replay, "c1", RuleId{7}, nullptr});
  EXPECT_FALSE(log.take("r2", "c1", RuleId{7}));
  EXPECT_FALSE(log.take("r1", "c2", RuleId{7}));
  EXPECT_FALSE(log.take("r1", "c1", RuleId{8}));
  EXPECT_FALSE(log.take("", "c1", RuleId{7}));
  ASSERT_TRUE(log.take("r1", "c1", RuleId{7}));
  EXPECT_FALSE(log.take("r1", "c1", RuleId{7}));
}

TEST(RequestLog, ends_with_the_session_of_its_client_alone) {
  test::TestIo io;
  RequestLog log;
  const auto mine = std::make_shared<StatusWait>(io.executor());
  const auto other = std::make_shared<StatusWait>(io.executor());
  log.add("r1", {Kind::push, "c1", RuleId{1}, mine});
  log.add("r2", {Kind::push, "c2", RuleId{2}, other});
  EXPECT_EQ(log.open_wait("c1", RuleId{1}), mine);
  EXPECT_EQ(log.open_wait("c2", RuleId{1}), nullptr);
  log.end_session("c1");
  EXPECT_FALSE(mine->open());
  EXPECT_TRUE(other->open());
  EXPECT_EQ(log.open_wait("c1", RuleId{1}), nullptr);
}

TEST(RequestLog, ends_with_its_rule_and_says_what_became_of_it) {
  test::TestIo io;
  RequestLog log;
  const auto gone = std::make_shared<StatusWait>(io.executor());
  const auto other = std::make_shared<StatusWait>(io.executor());
  log.add("r1", {Kind::push, "c1", RuleId{1}, gone});
  log.add("r2", {Kind::push, "c1", RuleId{2}, other});
  log.end_rule("c2", RuleId{1}, Errc::rule_not_found);
  EXPECT_TRUE(gone->open());
  log.end_rule("c1", RuleId{1}, Errc::rule_not_found);
  EXPECT_FALSE(gone->open());
  EXPECT_EQ(gone->answer()->error(), Errc::rule_not_found);
  EXPECT_TRUE(other->open());
  EXPECT_FALSE(log.take("r1", "c1", RuleId{1}));
  log.end_all();
  EXPECT_FALSE(other->open());
  EXPECT_FALSE(log.take("r2", "c1", RuleId{2}));
}

}  // namespace
}  // namespace portunus::server::rules
