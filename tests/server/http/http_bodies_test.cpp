#include <gtest/gtest.h>

#include <string>

#include "tests/server/http/listener_fixture.hpp"
#include "tests/support/eventually.hpp"

// The bound on the bodies of all requests together (http-api 1, row Peers).

namespace portunus::server::http {
namespace {

using namespace std::chrono_literals;

class HttpBodiesTest : public HttpListenerTest {
 protected:
  static constexpr std::size_t kLimit = 100'000;
  static constexpr std::size_t kSpared = 1'000;

  void start_narrow() {
    HttpOptions options;
    options.bodies_limit = kLimit;
    options.spared_body = kSpared;
    start(options);
  }
  std::uint64_t held() {
    std::promise<std::uint64_t> bytes;
    asio::post(io_, [&] { bytes.set_value(listener_->body_bytes()); });
    return bytes.get_future().get();
  }
  bool comes_to_hold(std::uint64_t bytes) {
    return test::eventually([&] { return held() == bytes; });
  }
  static std::string head(std::size_t length, std::string_view path = "/size") {
    return "POST " + std::string(path) +
           " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
  }
  static std::string whole(std::size_t length) { return head(length) + std::string(length, 'x'); }
  /// One that has sent `sent` of `length` bytes and then nothing.
  void half_send(RawClient& client, std::size_t length, std::size_t sent) {
    client.send(head(length) + std::string(sent, 'x'));
  }
};

TEST_F(HttpBodiesTest, HTTP_1_a_large_body_without_room_is_refused_and_its_connection_closed) {
  start_narrow();
  RawClient holder = connect();
  half_send(holder, 80'000, 70'000);
  ASSERT_TRUE(comes_to_hold(70'000 - kSpared));
  RawClient refused = connect();
  refused.send(whole(50'000));
  const std::string answer = refused.read_response();
  EXPECT_TRUE(begins(answer, "HTTP/1.1 503")) << answer;
  EXPECT_TRUE(has(answer, "Connection: close\r\n")) << answer;
  EXPECT_TRUE(has(answer, make_error_code(Errc::bodies_too_large).message())) << answer;
  EXPECT_TRUE(refused.closed());
  EXPECT_TRUE(comes_to_hold(70'000 - kSpared));

  holder.send(std::string(10'000, 'x'));
  EXPECT_TRUE(holder.read_response().ends_with("80000"));
  EXPECT_TRUE(comes_to_hold(0));
  RawClient again = connect();
  again.send(whole(50'000));
  EXPECT_TRUE(begins(again.read_response(), "HTTP/1.1 200"));
}

TEST_F(HttpBodiesTest, HTTP_1_ordinary_requests_always_find_room) {
  start_narrow();
  RawClient holder = connect();
  half_send(holder, kLimit + kSpared + 1, kLimit + kSpared);
  ASSERT_TRUE(comes_to_hold(kLimit));
  RawClient ordinary = connect();
  for (int i = 0; i < 3; ++i) {
    ordinary.send(whole(kSpared));
    EXPECT_TRUE(begins(ordinary.read_response(), "HTTP/1.1 200"));
  }
}

TEST_F(HttpBodiesTest, HTTP_1_an_announced_length_takes_no_room) {
  start_narrow();
  RawClient first = connect();
  RawClient second = connect();
  half_send(first, 90'000, kSpared + 1);
  half_send(second, 90'000, kSpared + 1);
  ASSERT_TRUE(comes_to_hold(2));
  RawClient large = connect();
  large.send(whole(90'000));
  EXPECT_TRUE(begins(large.read_response(), "HTTP/1.1 200"));
}

TEST_F(HttpBodiesTest, HTTP_1_chunks_count_as_they_come) {
  start_narrow();
  RawClient holder = connect();
  holder.send("POST /size HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nea60\r\n" +
              std::string(60'000, 'x') + "\r\n");
  ASSERT_TRUE(comes_to_hold(60'000 - kSpared));
  RawClient refused = connect();
  refused.send(whole(60'000));
  EXPECT_TRUE(begins(refused.read_response(), "HTTP/1.1 503"));
  holder.send("0\r\n\r\n");
  EXPECT_TRUE(holder.read_response().ends_with("60000"));
}

TEST_F(HttpBodiesTest, APeerThatLeavesGivesItsRoomBack) {
  start_narrow();
  {
    RawClient holder = connect();
    half_send(holder, 80'000, 70'000);
    ASSERT_TRUE(comes_to_hold(70'000 - kSpared));
  }
  EXPECT_TRUE(comes_to_hold(0));
}

TEST_F(HttpBodiesTest, ABodyThatNobodyWantsCountsWhileItIsSkipped) {
  start_narrow();
  RawClient holder = connect();
  half_send(holder, 2'000'000, kLimit + kSpared);
  ASSERT_TRUE(comes_to_hold(kLimit));
  RawClient skipped = connect();
  skipped.send(head(40'000, "/ignore") + std::string(40'000, 'x'));
  const std::string answer = skipped.read_response();
  EXPECT_TRUE(begins(answer, "HTTP/1.1 200")) << answer;
  EXPECT_TRUE(has(answer, "Connection: close\r\n")) << answer;
}

}  // namespace
}  // namespace portunus::server::http
