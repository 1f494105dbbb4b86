#include "server/control/control_listener.hpp"

#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <vector>

namespace portunus::server::control {
namespace {

using namespace std::chrono_literals;

net::Endpoint local(std::uint16_t port = 0, const char* address = "127.0.0.1") {
  return {*net::IpAddress::parse(address), port};
}

net::UniqueFd tcp_socket() {
  return net::UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

bool dial(const net::UniqueFd& fd, const net::Endpoint& to) {
  sockaddr_storage address;
  const socklen_t length = to.to_sockaddr(address);
  return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0;
}

class ControlListenerTest : public testing::Test {
 protected:
  /// Runs the loop until `count` connections have come.
  void run_until(std::size_t count) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (taken.size() < count && std::chrono::steady_clock::now() < deadline) {
      io.run_for(5ms);
      io.restart();
    }
  }
  void take(ControlListener& listener) {
    listener.start([this](net::UniqueFd fd) { taken.push_back(std::move(fd)); });
  }
  boost::asio::io_context io;
  std::vector<net::UniqueFd> taken;
};

TEST_F(ControlListenerTest, a_busy_port_is_an_error_with_its_cause_and_place) {
  const auto first = ControlListener::open(io.get_executor(), local());
  ASSERT_TRUE(first);
  const auto second = ControlListener::open(io.get_executor(), (*first)->endpoint());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, std::errc::address_in_use);
  EXPECT_EQ(second.error().detail, (*first)->endpoint().text());
}

TEST_F(ControlListenerTest, binds_exactly_the_address_it_was_given) {
  const auto listener = ControlListener::open(io.get_executor(), local());
  ASSERT_TRUE(listener);
  EXPECT_NE((*listener)->endpoint().port(), 0);
  EXPECT_EQ((*listener)->endpoint().address().text(), "127.0.0.1");
  EXPECT_FALSE(dial(tcp_socket(), local((*listener)->endpoint().port(), "127.0.0.2")));
  EXPECT_TRUE(dial(tcp_socket(), (*listener)->endpoint()));
}

TEST_F(ControlListenerTest, an_ipv4_wildcard_does_not_open_ipv6) {
  const auto listener = ControlListener::open(io.get_executor(), local(0, "0.0.0.0"));
  ASSERT_TRUE(listener);
  const std::uint16_t port = (*listener)->endpoint().port();
  EXPECT_TRUE(dial(tcp_socket(), local(port)));
  // The same port of IPv6 is free for somebody else.
  const net::UniqueFd other(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!other) GTEST_SKIP() << "no IPv6 here";
  EXPECT_FALSE(dial(other, local(port, "::1")));
}

TEST_F(ControlListenerTest, an_address_of_another_machine_is_an_error) {
  const auto listener = ControlListener::open(io.get_executor(), local(0, "192.0.2.1"));
  ASSERT_FALSE(listener);
  EXPECT_EQ(listener.error().code, std::errc::address_not_available);
}

TEST_F(ControlListenerTest, hands_over_every_connection_ready_for_use) {
  const auto listener = ControlListener::open(io.get_executor(), local());
  ASSERT_TRUE(listener);
  std::vector<net::UniqueFd> clients;
  for (int i = 0; i < 25; ++i) {
    clients.push_back(tcp_socket());
    ASSERT_TRUE(dial(clients.back(), (*listener)->endpoint()));
  }
  take(**listener);
  run_until(25);
  ASSERT_EQ(taken.size(), 25U);
  int value = 0;
  socklen_t length = sizeof value;
  ::getsockopt(taken[0].get(), IPPROTO_TCP, TCP_NODELAY, &value, &length);
  EXPECT_EQ(value, 1);
  char byte;
  EXPECT_EQ(::recv(taken[0].get(), &byte, 1, 0), -1);
  EXPECT_EQ(errno, EAGAIN);
}

TEST_F(ControlListenerTest, a_closed_one_refuses_and_hands_over_nothing) {
  const auto listener = ControlListener::open(io.get_executor(), local());
  ASSERT_TRUE(listener);
  take(**listener);
  const net::UniqueFd waiting = tcp_socket();
  ASSERT_TRUE(dial(waiting, (*listener)->endpoint()));
  (*listener)->close();
  (*listener)->close();
  io.run_for(1s);  // returns at once: nothing is left to wait for
  EXPECT_TRUE(taken.empty());
  EXPECT_FALSE(dial(tcp_socket(), (*listener)->endpoint()));
}

TEST_F(ControlListenerTest, one_that_never_ran_can_be_dropped) {
  const auto listener = ControlListener::open(io.get_executor(), local());
  ASSERT_TRUE(listener);
  take(**listener);
}

TEST_F(ControlListenerTest, recovers_when_the_process_was_out_of_descriptors) {
  const auto listener = ControlListener::open(io.get_executor(), local());
  ASSERT_TRUE(listener);
  take(**listener);
  io.run_for(1ms);
  io.restart();
  const net::UniqueFd client = tcp_socket();
  const net::UniqueFd lowest_free = tcp_socket();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit full{static_cast<rlim_t>(lowest_free.get()), before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &full), 0);
  ASSERT_TRUE(dial(client, (*listener)->endpoint()));
  const std::size_t turns = io.run_for(250ms);
  io.restart();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(taken.empty());
  EXPECT_LT(turns, 20U);  // it waits, it does not spin
  run_until(1);
  EXPECT_EQ(taken.size(), 1U);
}

}  // namespace
}  // namespace portunus::server::control
