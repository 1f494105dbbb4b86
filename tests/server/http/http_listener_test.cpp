#include "server/http/http_listener.hpp"

#include <gtest/gtest.h>

#include <regex>

#include "server/http/errc.hpp"
#include "tests/server/http/listener_fixture.hpp"

namespace portunus::server::http {
namespace {

using namespace std::chrono_literals;

TEST_F(HttpListenerTest, an_ipv4_peer_of_a_listener_for_both_families_has_its_own_address) {
  start({}, "[::]:0");
  endpoint_ = net::Endpoint(*net::IpAddress::parse("127.0.0.1"), endpoint_.port());
  EXPECT_TRUE(ask("GET /peer HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                  .ends_with("GET /peer? 127.0.0.1"));
}

TEST_F(HttpListenerTest, KeepsAConnectionForSeveralRequests) {
  start();
  RawClient client = connect();
  for (int i = 0; i < 3; ++i) {
    client.send("POST /a?q=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
    const std::string answer = client.read_response();
    EXPECT_TRUE(begins(answer, "HTTP/1.1 200 OK\r\n")) << answer;
    EXPECT_TRUE(has(answer, "Connection: keep-alive\r\n")) << answer;
    EXPECT_TRUE(answer.ends_with("POST /a?q=1 hi")) << answer;
  }
}

TEST_F(HttpListenerTest, AnswersPipelinedRequestsInOrder) {
  start();
  RawClient client = connect();
  client.send(
      "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"
      "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
      "GET /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(client.read_response().ends_with("waited"));
  EXPECT_TRUE(client.read_response().ends_with("POST /b? abc"));
  const std::string last = client.read_response();
  EXPECT_TRUE(last.ends_with("GET /c? ")) << last;
  EXPECT_TRUE(has(last, "Connection: close\r\n"));
  EXPECT_TRUE(client.closed());
}

TEST_F(HttpListenerTest, ReadsChunkedBodies) {
  start();
  RawClient client = connect();
  client.send("POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  client.send("3\r\nabc\r\n2;ext=1\r\nde\r\n");
  client.send("0\r\nTrailer: y\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(client.read_response().ends_with("POST /c? abcde"));
  EXPECT_TRUE(client.read_response().ends_with("GET /next? "));
}

TEST_F(HttpListenerTest, RefusesBrokenChunks) {
  start();
  const std::string answer = ask(
      "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n");
  EXPECT_TRUE(begins(answer, "HTTP/1.1 413")) << answer;
  EXPECT_TRUE(has(answer, make_error_code(Errc::body_malformed).message())) << answer;
  EXPECT_TRUE(has(answer, "Connection: close"));
}

TEST_F(HttpListenerTest, ContinuesOnlyWhenTheBodyIsWanted) {
  start();
  RawClient wanted = connect();
  wanted.send("POST /c HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(wanted.read_head(), "HTTP/1.1 100 Continue\r\n\r\n");
  wanted.send("ok");
  EXPECT_TRUE(wanted.read_response().ends_with("POST /c? ok"));

  const std::string refused =
      ask("POST /ignore HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_TRUE(begins(refused, "HTTP/1.1 200 OK")) << refused;
  EXPECT_TRUE(has(refused, "Connection: close")) << refused;
}

TEST_F(HttpListenerTest, TakesABodyOfTheLimitAndNoByteMore) {
  HttpOptions options;
  options.body_limit = 1000;
  start(options);
  const std::string body(1000, 'x');
  const std::string fits = ask(
      "POST /size HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n" + body);
  EXPECT_TRUE(fits.ends_with("1000")) << fits;
  const std::string over =
      ask("POST /size HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1001\r\n\r\n" +
          body + "x");
  EXPECT_TRUE(begins(over, "HTTP/1.1 413")) << over;
}

TEST_F(HttpListenerTest, LimitsTheSumOfAllChunks) {
  HttpOptions options;
  options.body_limit = 1000;
  start(options);
  std::string request = "POST /size HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 11; ++i) request += "64\r\n" + std::string(100, 'x') + "\r\n";
  const std::string over = ask(request + "0\r\n\r\n");
  EXPECT_TRUE(begins(over, "HTTP/1.1 413")) << over;
  EXPECT_TRUE(has(over, make_error_code(Errc::body_too_large).message())) << over;
}

TEST_F(HttpListenerTest, SkipsABodyThatNobodyReadAndGoesOn) {
  start();
  RawClient client = connect();
  client.send("POST /ignore HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345");
  EXPECT_TRUE(client.read_response().ends_with("POST /ignore? "));
  client.send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(client.read_response().ends_with("GET /next? "));
}

TEST_F(HttpListenerTest, DeliversTheAnswerDespiteALargeUnreadBody) {
  start();
  RawClient client = connect();
  client.send("POST /ignore HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n");
  client.send(std::string(1'000'000, 'x'));
  const std::string answer = client.read_response();
  EXPECT_TRUE(begins(answer, "HTTP/1.1 200")) << answer;
  EXPECT_TRUE(has(answer, "Connection: close"));
}

TEST_F(HttpListenerTest, HeadHasTheLengthButNoBody) {
  start();
  RawClient client = connect();
  client.send("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string head = client.read_head();
  EXPECT_TRUE(has(head, "Content-Length: 9\r\n")) << head;  // "HEAD /a? "
  EXPECT_TRUE(client.read_response().ends_with("GET /a? "));
}

TEST_F(HttpListenerTest, AnswersCarryTheirDate) {
  start();
  const std::string answer = ask("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(std::regex_search(
      answer, std::regex("\r\nDate: [A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} 20[0-9]{2} "
                         "[0-9]{2}:[0-9]{2}:[0-9]{2} GMT\r\n")))
      << answer;
}

TEST_F(HttpListenerTest, NoContentHasNoLength) {
  start();
  RawClient client = connect();
  client.send("GET /none HTTP/1.1\r\nHost: x\r\n\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string head = client.read_head();
  EXPECT_TRUE(begins(head, "HTTP/1.1 204 No Content\r\n")) << head;
  EXPECT_FALSE(has(head, "Content-Length")) << head;
  EXPECT_TRUE(client.read_response().ends_with("GET /a? "));
}

TEST_F(HttpListenerTest, MalformedRequestsAreRefusedAndTheConnectionCloses) {
  start();
  for (const char* bytes :
       {"garbage\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/1.1\r\nbad header\r\n\r\n",
        "GET x HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nA\x01: b\r\n\r\n"}) {
    const std::string answer = ask(bytes);
    EXPECT_TRUE(begins(answer, "HTTP/1.1 400 Bad Request\r\n")) << bytes << answer;
    EXPECT_TRUE(has(answer, "Connection: close\r\n")) << bytes << answer;
  }
}

TEST_F(HttpListenerTest, HTTP_1_a_version_of_http_that_is_not_spoken_is_505) {
  start();
  for (const char* version : {"HTTP/2.0", "HTTP/0.9", "HTTP/1.2", "HTTP/9.9"}) {
    const std::string answer = ask(std::string("GET / ") + version + "\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(begins(answer, "HTTP/1.1 505 HTTP Version Not Supported\r\n")) << answer;
    EXPECT_TRUE(has(answer, "Connection: close\r\n")) << answer;
    EXPECT_TRUE(has(answer, "Content-Type: text/plain")) << answer;
  }
  // Behind a request that was served, too.
  RawClient client = connect();
  client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/2.0\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(client.read_response().ends_with("GET /a? "));
  EXPECT_TRUE(begins(client.read_response(), "HTTP/1.1 505"));
}

TEST_F(HttpListenerTest, HTTP_1_what_is_no_version_of_http_is_400) {
  start();
  for (const char* line :
       {"GET / HTTQ/1.1", "GET / http/1.1", "GET / HTTP/1.1 x", "GET / HTTP/11.1",
        "GET / HTTP/2.0 x", "GET / HTTP/2.x", "GET /a b HTTP/2.0", "HTTP/2.0 200 OK"}) {
    const std::string answer = ask(std::string(line) + "\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(begins(answer, "HTTP/1.1 400 Bad Request\r\n")) << line << "\n" << answer;
  }
}

TEST_F(HttpListenerTest, AcceptsHttp10AndAbsoluteTargets) {
  start();
  const std::string old = ask("GET /a HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(old.ends_with("GET /a? ")) << old;
  const std::string absolute =
      ask("GET http://h:1/a?b=c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(absolute.ends_with("GET /a?b=c ")) << absolute;
}

TEST_F(HttpListenerTest, LimitsTheHeader) {
  start();
  const std::string answer =
      ask("GET / HTTP/1.1\r\nHost: x\r\nLong: " + std::string(20000, 'y') + "\r\n\r\n");
  EXPECT_TRUE(begins(answer, "HTTP/1.1 431")) << answer.substr(0, 100);
}

TEST_F(HttpListenerTest, SlowHeadersAndBodiesEndAtTheirDeadline) {
  HttpOptions options;
  options.header_timeout = 50ms;
  options.body_timeout = 50ms;
  options.idle_timeout = 50ms;
  start(options);
  EXPECT_TRUE(begins(ask("GET / HTTP/1.1\r\nHo"), "HTTP/1.1 408"));
  const std::string body = ask("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab");
  EXPECT_TRUE(has(body, make_error_code(Errc::body_timeout).message())) << body;
  EXPECT_EQ(ask(""), "");
}

TEST_F(HttpListenerTest, AFaultOfAHandlerIsAnAnswer) {
  start();
  RawClient client = connect();
  client.send("GET /throw HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string answer = client.read_response();
  EXPECT_TRUE(begins(answer, "HTTP/1.1 500")) << answer;
  EXPECT_TRUE(answer.ends_with(R"({"error":{"code":"internal","message":"internal"}})")) << answer;
  client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(begins(client.read_response(), "HTTP/1.1 200"));
}

TEST_F(HttpListenerTest, AtTheBoundAnIdleConnectionMakesRoom) {
  HttpOptions options;
  options.max_connections = 2;
  start(options);
  RawClient first = connect();
  RawClient second = connect();
  for (RawClient* client : {&first, &second}) {
    client->send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(begins(client->read_response(), "HTTP/1.1 200"));
  }
  RawClient third = connect();
  third.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(begins(third.read_response(), "HTTP/1.1 200"));
  EXPECT_TRUE(first.closed());
  second.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(begins(second.read_response(), "HTTP/1.1 200"));
}

TEST_F(HttpListenerTest, AtTheBoundABusyConnectionIsWaitedFor) {
  HttpOptions options;
  options.max_connections = 1;
  start(options);
  RawClient first = connect();
  const int before = slow_begun;
  first.send("GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(test::eventually([&] { return slow_begun > before; }));
  RawClient second = connect();
  second.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(first.read_response().ends_with("waited"));
  EXPECT_TRUE(second.read_response().ends_with("GET /a? "));
}

TEST_F(HttpListenerTest, StoppingAnswersWhatIsInWorkAndEndsTheRest) {
  start();
  RawClient idle = connect();
  idle.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  idle.read_response();
  RawClient partial = connect();
  partial.send("GET / HTTP/1.1\r\nHos");
  RawClient busy = connect();
  busy.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  while (true) {
    std::promise<std::size_t> count;
    asio::post(io_, [&] { count.set_value(listener_->connections()); });
    if (count.get_future().get() == 3) break;
  }
  settle();
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(stop());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
  EXPECT_TRUE(idle.closed());
  EXPECT_TRUE(partial.closed());
  const std::string last = busy.read_response();
  EXPECT_TRUE(last.ends_with("waited") || last.empty()) << last;
  EXPECT_FALSE(RawClient(endpoint_).connected());
}

TEST_F(HttpListenerTest, StoppingDoesNotWaitForASlowBody) {
  HttpOptions options;
  options.stop_body_timeout = 20ms;
  start(options);
  RawClient slow = connect();
  slow.send("POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n");
  EXPECT_EQ(slow.read_head(), "HTTP/1.1 100 Continue\r\n\r\n");
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(stop(20s));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
  EXPECT_TRUE(has(slow.read_response(), make_error_code(Errc::body_timeout).message()));
}

TEST_F(HttpListenerTest, CLI_7_1_stopping_does_not_wait_for_a_peer_that_takes_no_answer) {
  HttpOptions options;
  options.stop_body_timeout = 50ms;
  start(options);
  RawClient deaf = connect();
  deaf.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(begins(deaf.read_head(), "HTTP/1.1 200"));
  EXPECT_TRUE(stop(20s));
}

TEST_F(HttpListenerTest, CLI_7_1_stopping_lets_a_slow_peer_have_his_answer) {
  HttpOptions options;
  options.stop_body_timeout = 1s;
  start(options);
  RawClient slow = connect();
  slow.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(begins(slow.read_head(), "HTTP/1.1 200"));
  auto drained = asio::co_spawn(io_, listener_->drain(60s), asio::use_future);
  // Altogether it takes twice what is left to one part.
  std::size_t got = 0;
  for (std::size_t n = 1; n > 0 && got < 8'000'000; got += n) {
    n = slow.read_some(100'000).size();
    std::this_thread::sleep_for(25ms);
  }
  EXPECT_EQ(got, 8'000'000U);
  EXPECT_TRUE(drained.get());
}

TEST_F(HttpListenerTest, WhatOutlivesTheGraceIsCut) {
  start();
  RawClient busy = connect();
  busy.send("POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n");
  EXPECT_EQ(busy.read_head(), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_FALSE(stop(20ms));
  EXPECT_TRUE(busy.closed());
}

TEST_F(HttpListenerTest, TheHandlerMayLiveOnAnotherThread) {
  start_with_domain_thread();
  RawClient client = connect();
  for (int i = 0; i < 50; ++i) {
    client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
    EXPECT_TRUE(client.read_response().ends_with("POST /a? hi"));
  }
}

TEST_F(HttpListenerTest, AnAddressInUseIsAnError) {
  start();
  asio::io_context io;
  HttpListener other(io.get_executor(), io.get_executor(), echo);
  const auto bound = other.listen(endpoint_);
  ASSERT_FALSE(bound);
  EXPECT_TRUE(has(bound.error().text(), endpoint_.text())) << bound.error().text();
}

}  // namespace
}  // namespace portunus::server::http
