#include "common/async/last_signals.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

namespace portunus::async {
namespace {

void (*action_of(int number))(int) {
  struct sigaction now{};
  ::sigaction(number, nullptr, &now);
  return now.sa_handler;
}

TEST(LastSignals, are_ignored_also_when_the_set_that_caught_them_is_gone) {
  {
    boost::asio::io_context io;
    boost::asio::signal_set caught(io, SIGUSR1, SIGUSR2);
    ignore_from_now_on({SIGUSR1});
    EXPECT_EQ(action_of(SIGUSR1), SIG_IGN);
    EXPECT_NE(action_of(SIGUSR2), SIG_DFL) << "it is still caught";
  }
  ASSERT_EQ(action_of(SIGUSR1), SIG_IGN);
  EXPECT_EQ(::raise(SIGUSR1), 0);
  EXPECT_EQ(action_of(SIGUSR2), SIG_DFL);
  ::signal(SIGUSR1, SIG_DFL);
}

}  // namespace
}  // namespace portunus::async
