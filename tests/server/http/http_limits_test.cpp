#include <gtest/gtest.h>

#include <list>

#include "server/http/errc.hpp"
#include "tests/server/http/listener_fixture.hpp"
#include "tests/support/eventually.hpp"

// Peers that send or take too much, too little or too slowly, beside one that behaves.

namespace portunus::server::http {
namespace {

using namespace std::chrono_literals;

constexpr auto kGet = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

class HttpLimitsTest : public HttpListenerTest {
 protected:
  /// Another request is answered, and soon: what the others do does not matter.
  void expect_undisturbed() {
    const auto begin = std::chrono::steady_clock::now();
    RawClient client = connect();
    client.send(kGet);
    EXPECT_TRUE(begins(client.read_response(), "HTTP/1.1 200"));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 8s);
  }
  std::size_t connections() {
    std::promise<std::size_t> count;
    asio::post(io_, [&] { count.set_value(listener_->connections()); });
    return count.get_future().get();
  }
  /// As many peers as there are places, each of which has sent `bytes`.
  std::list<RawClient> occupy(std::size_t count, std::string_view bytes) {
    std::list<RawClient> peers;
    for (std::size_t i = 0; i < count; ++i) peers.emplace_back(endpoint_).send(bytes);
    EXPECT_TRUE(test::eventually([&] { return connections() == count; }));
    return peers;
  }
  /// Four places, and time-outs that no test waits for.
  static HttpOptions narrow() {
    HttpOptions options;
    options.max_connections = 4;
    options.header_timeout = options.body_timeout = options.write_timeout = 600s;
    options.slow_after = 50ms;
    options.room_check = 10ms;
    return options;
  }
};

TEST_F(HttpLimitsTest, DribbledHeadersMakeRoom) {
  start(narrow());
  const auto peers = occupy(4, "GET /a HTTP/1.1\r\nHos");
  expect_undisturbed();
  expect_undisturbed();
}

TEST_F(HttpLimitsTest, SlowBodiesMakeRoom) {
  start(narrow());
  const auto peers = occupy(4, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nab");
  expect_undisturbed();
}

TEST_F(HttpLimitsTest, SlowReadersMakeRoom) {
  start(narrow());
  const auto peers = occupy(4, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  expect_undisturbed();
}

TEST_F(HttpLimitsTest, ARequestInWorkKeepsItsPlace) {
  HttpOptions options = narrow();
  options.max_connections = 2;
  options.slow_after = 1ms;
  start(options);
  RawClient working = connect();
  working.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(test::eventually([&] { return connections() == 1; }));
  RawClient dribbling = connect();
  dribbling.send("GET /a HT");
  EXPECT_TRUE(test::eventually([&] { return connections() == 2; }));
  expect_undisturbed();
  EXPECT_TRUE(dribbling.closed());
  EXPECT_TRUE(working.read_response().ends_with("waited"));
}

TEST_F(HttpLimitsTest, IdleConnectionsGoBeforeHalfRequests) {
  HttpOptions options = narrow();
  options.max_connections = 2;
  start(options);
  RawClient half = connect();
  half.send("GET /a HTTP/1.1\r\nHost: x\r\n");
  EXPECT_TRUE(test::eventually([&] { return connections() == 1; }));
  RawClient idle = connect();
  idle.send(kGet);
  EXPECT_TRUE(begins(idle.read_response(), "HTTP/1.1 200"));
  expect_undisturbed();
  EXPECT_TRUE(idle.closed());
  half.send("\r\n");
  EXPECT_TRUE(begins(half.read_response(), "HTTP/1.1 200"));
}

TEST_F(HttpLimitsTest, AnAnswerDoesNotWaitLongForABodyThatNobodyWants) {
  HttpOptions options = narrow();
  options.skip_timeout = 30ms;
  start(options);
  RawClient client = connect();
  client.send("POST /ignore HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12");
  const std::string answer = client.read_response();
  EXPECT_TRUE(begins(answer, "HTTP/1.1 200")) << answer;
  EXPECT_TRUE(has(answer, "Connection: close\r\n")) << answer;
}

TEST_F(HttpLimitsTest, AReaderThatNeverReadsIsLetGo) {
  HttpOptions options;
  options.write_timeout = 50ms;
  start(options);
  RawClient client = connect();
  client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(begins(client.read_head(), "HTTP/1.1 200"));
  EXPECT_TRUE(test::eventually([&] { return connections() == 0; }));
}

TEST_F(HttpLimitsTest, ManyPipelinedRequestsAreAnsweredInOrderBesideOthers) {
  start();
  RawClient pipeline = connect();
  std::string bytes;
  constexpr int kRequests = 2000;
  for (int i = 0; i < kRequests; ++i) {
    bytes += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  }
  std::thread sender([&] { pipeline.send(bytes); });
  expect_undisturbed();
  for (int i = 0; i < kRequests; ++i) {
    ASSERT_TRUE(pipeline.read_response().ends_with("GET /" + std::to_string(i) + "? "));
  }
  sender.join();
}

TEST_F(HttpLimitsTest, OnlyChunkedIsATransferCoding) {
  start();
  const std::pair<const char*, const char*> cases[] = {
      {"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 501"},
      {"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "HTTP/1.1 501"},
      {"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n", "HTTP/1.1 501"},
      {"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
       "Transfer-Encoding: chunked\r\n\r\n",
       "HTTP/1.1 400"},
      {"POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 400"},
  };
  for (const auto& [bytes, status] : cases) {
    // What follows must not be taken for a request of its own.
    const std::string answer =
        ask(std::string(bytes) + "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(begins(answer, status)) << bytes << answer;
    EXPECT_FALSE(has(answer, "smuggled")) << bytes << answer;
    EXPECT_TRUE(has(answer, "Connection: close\r\n")) << bytes << answer;
  }
  EXPECT_TRUE(begins(ask("POST /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                         "Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n"),
                     "HTTP/1.1 200"));
}

TEST_F(HttpLimitsTest, WhatSurroundsChunksIsBounded) {
  start();  // its 30 s for a body are longer than the client waits
  const std::string head = "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_TRUE(begins(ask(head + "1;a=" + std::string(100'000, 'x')), "HTTP/1.1 413"));
  EXPECT_TRUE(begins(ask(head + "0\r\na: " + std::string(100'000, 'x')), "HTTP/1.1 413"));
  EXPECT_TRUE(begins(ask("POST /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                         "Transfer-Encoding: chunked\r\n\r\n"
                         "2;a=b\r\nhi\r\n0\r\na: b\r\n\r\n"),
                     "HTTP/1.1 200"));
  expect_undisturbed();
}

TEST_F(HttpLimitsTest, ManyHeadersAndALongTargetAreOneLimit) {
  start();
  std::string many = "GET /a HTTP/1.1\r\nHost: x\r\n";
  for (int i = 0; i < 4000; ++i) many += "a" + std::to_string(i) + ":\r\n";
  EXPECT_TRUE(begins(ask(many + "\r\n"), "HTTP/1.1 431"));
  EXPECT_TRUE(begins(ask(many), "HTTP/1.1 431"));  // and before the end has come
  EXPECT_TRUE(begins(ask("GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n"),
                     "HTTP/1.1 431"));
  expect_undisturbed();
}

}  // namespace
}  // namespace portunus::server::http
