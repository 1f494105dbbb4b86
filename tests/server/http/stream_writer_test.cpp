#include "server/http/stream_writer.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_future.hpp>
#include <deque>
#include <memory>
#include <stdexcept>
#include <thread>

#include "common/async/within.hpp"
#include "server/http/http_listener.hpp"
#include "tests/server/support/raw_client.hpp"
#include "tests/support/eventually.hpp"

// Answers that are streams, over real connections.

namespace portunus::server::http {
namespace {

namespace asio = boost::asio;
using testing::RawClient;
using namespace std::chrono_literals;

/// Gives what the test has put in, and tells how it was treated.
class TestStream final : public BodyStream {
 public:
  explicit TestStream(asio::any_io_executor executor) : executor_(executor), wake_(executor) {}

  async::Task<std::string> next() override {
    ++asked;
    wake_.expires_at(asio::steady_timer::time_point::max());
    while (pieces_.empty() && !ended_) co_await wake_.async_wait(async::kTuple);
    if (pieces_.empty()) co_return std::string();
    std::string piece = std::move(pieces_.front());
    pieces_.pop_front();
    ++given;
    if (piece == "throw") throw std::runtime_error("secret detail");
    co_return piece;
  }
  void close() override {
    closed = true;
    pieces_.clear();
    ended_ = true;
    wake_.cancel();
  }

  // From any thread:
  void put(std::string piece) {
    asio::post(executor_, [this, text = std::move(piece)]() mutable {
      pieces_.push_back(std::move(text));
      wake_.cancel();
    });
  }
  void end() {
    asio::post(executor_, [this] {
      ended_ = true;
      wake_.cancel();
    });
  }

  std::atomic<int> asked = 0;
  std::atomic<int> given = 0;
  std::atomic<bool> closed = false;

 private:
  asio::any_io_executor executor_;
  asio::steady_timer wake_;
  std::deque<std::string> pieces_;
  bool ended_ = false;
};

class StreamWriterTest : public ::testing::Test {
 protected:
  void start(HttpOptions options = {}, bool domain_thread = false) {
    options.linger_timeout = 300ms;
    asio::any_io_executor domain = io_.get_executor();
    if (domain_thread) {
      domain = domain_.get_executor();
      domain_work_.emplace(asio::make_work_guard(domain_));
      domain_thread_ = std::thread([this] { domain_.run(); });
    }
    stream_ = std::make_shared<TestStream>(domain);
    listener_ = std::make_unique<HttpListener>(
        io_.get_executor(), domain, [this](Request request) { return answer(std::move(request)); },
        options);
    endpoint_ = listener_->listen(*net::Endpoint::parse("127.0.0.1:0")).value();
    listener_->start();
    work_.emplace(asio::make_work_guard(io_));
    thread_ = std::thread([this] { io_.run(); });
  }
  async::Task<Response> answer(Request request) {
    if (request.path == "/late") {
      late_asked_ = true;
      while (!late_) co_await async::sleep_for(5ms);
    } else if (request.path != "/stream") {
      co_return make_response(200, "text/plain", request.path);
    }
    Response response = make_response(200, "text/event-stream", "");
    response.stream = stream_;
    co_return response;
  }
  bool stop(std::chrono::milliseconds grace = 5s) {
    if (!thread_.joinable()) return true;
    const bool clean = asio::co_spawn(io_, listener_->drain(grace), asio::use_future).get();
    work_.reset();
    thread_.join();
    domain_work_.reset();
    if (domain_thread_.joinable()) domain_thread_.join();
    return clean;
  }
  void TearDown() override { stop(); }

  /// A client whose stream has begun.
  std::unique_ptr<RawClient> connect(std::string_view more = "") {
    auto client = std::make_unique<RawClient>(endpoint_);
    client->send("GET /stream HTTP/1.1\r\nHost: x\r\n" + std::string(more) + "\r\n");
    head_ = client->read_head();
    return client;
  }
  bool closed() {
    return test::eventually([&] { return stream_->closed.load(); });
  }

  asio::io_context io_{1};
  asio::io_context domain_{1};
  std::shared_ptr<TestStream> stream_;
  std::unique_ptr<HttpListener> listener_;
  net::Endpoint endpoint_;
  std::string head_;
  std::atomic<bool> late_asked_ = false;
  bool late_ = false;  ///< the answer to /late may begin

 private:
  using Work = asio::executor_work_guard<asio::io_context::executor_type>;
  std::optional<Work> work_;
  std::optional<Work> domain_work_;
  std::thread thread_;
  std::thread domain_thread_;
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_F(StreamWriterTest, HTTP_9_2_pieces_are_chunks_as_they_come) {
  start();
  const auto client = connect();
  EXPECT_TRUE(head_.starts_with("HTTP/1.1 200 OK\r\n")) << head_;
  EXPECT_TRUE(has(head_, "Content-Type: text/event-stream\r\n")) << head_;
  EXPECT_TRUE(has(head_, "Transfer-Encoding: chunked\r\n")) << head_;
  EXPECT_FALSE(has(head_, "Content-Length")) << head_;
  stream_->put("data: 1\n\n");
  EXPECT_EQ(client->read_through("\n\n\r\n"), "9\r\ndata: 1\n\n\r\n");
  stream_->put(std::string(20, 'x') + "\n\n");
  EXPECT_EQ(client->read_through("\n\n\r\n"), "16\r\n" + std::string(20, 'x') + "\n\n\r\n");
  stream_->end();
  EXPECT_EQ(client->read_through("0\r\n\r\n"), "0\r\n\r\n");
  EXPECT_TRUE(closed());
}

TEST_F(StreamWriterTest, a_connection_serves_on_after_the_end_of_a_stream) {
  start();
  const auto client = connect();
  EXPECT_TRUE(has(head_, "Connection: keep-alive\r\n")) << head_;
  stream_->end();
  EXPECT_EQ(client->read_through("0\r\n\r\n"), "0\r\n\r\n");
  client->send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(client->read_response().ends_with("/next"));
}

TEST_F(StreamWriterTest, a_pipelined_request_waits_for_the_end_of_the_stream) {
  start();
  RawClient client(endpoint_);
  client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n");
  (void)client.read_head();
  stream_->put("one\n\n");
  EXPECT_EQ(client.read_through("\n\n\r\n"), "5\r\none\n\n\r\n");
  client.send("GET /c HTTP/1.1\r\nHost: x\r\n\r\n");  // while the stream runs
  stream_->put("two\n\n");
  EXPECT_EQ(client.read_through("\n\n\r\n"), "5\r\ntwo\n\n\r\n");
  stream_->end();
  EXPECT_EQ(client.read_through("0\r\n\r\n"), "0\r\n\r\n");
  EXPECT_TRUE(client.read_response().ends_with("/b"));
  EXPECT_TRUE(client.read_response().ends_with("/c"));
}

TEST_F(StreamWriterTest, HTTP_1_0_has_no_chunks_and_ends_with_the_connection) {
  start();
  RawClient client(endpoint_);
  client.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const std::string head = client.read_head();
  EXPECT_FALSE(has(head, "Transfer-Encoding")) << head;
  EXPECT_TRUE(has(head, "Connection: close\r\n")) << head;
  stream_->put("one\n\n");
  stream_->put("two\n\n");
  EXPECT_EQ(client.read_through("two\n\n"), "one\n\ntwo\n\n");
  stream_->end();
  EXPECT_TRUE(client.closed());
}

TEST_F(StreamWriterTest, HTTP_1_head_ends_with_the_header_and_asks_for_no_piece) {
  start();
  RawClient client(endpoint_);
  client.send("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(has(client.read_head(), "Content-Type: text/event-stream\r\n"));
  EXPECT_TRUE(client.read_response().ends_with("/b"));
  EXPECT_TRUE(closed());
  EXPECT_EQ(stream_->asked, 0);
}

TEST_F(StreamWriterTest, a_peer_that_goes_ends_the_stream_in_silence) {
  start();
  auto client = connect();
  client.reset();
  EXPECT_TRUE(closed());
}

TEST_F(StreamWriterTest, a_peer_that_ends_its_side_is_gone) {
  start();
  const auto client = connect();
  client->half_close();
  EXPECT_TRUE(closed());
}

TEST_F(StreamWriterTest, a_peer_that_takes_nothing_is_let_go) {
  HttpOptions options;
  options.write_timeout = 50ms;
  start(options);
  const auto client = connect();
  stream_->put(std::string(64 << 20, 'x'));
  EXPECT_TRUE(closed());
}

TEST_F(StreamWriterTest, nothing_is_asked_for_while_a_piece_is_not_taken) {
  start();
  const auto client = connect("Connection: close\r\n");
  const std::string large(16 << 20, 'x');
  stream_->put(large);
  stream_->put("later\n\n");
  stream_->end();
  ASSERT_TRUE(test::eventually([&] { return stream_->given.load() == 1; }));
  EXPECT_EQ(stream_->asked, 1);
  EXPECT_EQ(client->read_all(), "1000000\r\n" + large + "\r\n7\r\nlater\n\n\r\n0\r\n\r\n");
}

TEST_F(StreamWriterTest, what_a_peer_sends_behind_its_request_is_bounded_and_no_end) {
  start();
  const auto client = connect();
  client->send(std::string(200'000, 'x'));
  stream_->put("one\n\n");
  EXPECT_EQ(client->read_through("\n\n\r\n"), "5\r\none\n\n\r\n");
  EXPECT_FALSE(stream_->closed);
}

TEST_F(StreamWriterTest, a_fault_of_the_stream_ends_it) {
  start();
  const auto client = connect();
  stream_->put("throw");
  EXPECT_EQ(client->read_through("0\r\n\r\n"), "0\r\n\r\n");
}

TEST_F(StreamWriterTest, CLI_8_a_stop_ends_the_streams) {
  start();
  const auto client = connect();
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(stop());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
  EXPECT_TRUE(stream_->closed);
  EXPECT_EQ(client->read_through("0\r\n\r\n"), "0\r\n\r\n");
  EXPECT_TRUE(client->closed());
}

TEST_F(StreamWriterTest, CLI_8_a_stream_that_begins_after_the_stop_ends_at_once) {
  start();
  RawClient client(endpoint_);
  client.send("GET /late HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(test::eventually([&] { return late_asked_.load(); }));
  auto drained = asio::co_spawn(io_, listener_->drain(60s), asio::use_future);
  // The drain asks for the stop before it first waits.
  asio::post(io_, [&] { late_ = true; });
  EXPECT_TRUE(drained.get());
  EXPECT_EQ(client.read_head().substr(0, 12), "HTTP/1.1 200");
  EXPECT_EQ(client.read_through("0\r\n\r\n"), "0\r\n\r\n");
  EXPECT_TRUE(stream_->closed);
}

TEST_F(StreamWriterTest, a_stop_does_not_wait_for_a_peer_that_takes_nothing) {
  HttpOptions options;
  options.stop_body_timeout = 50ms;
  start(options);
  const auto client = connect();
  stream_->put(std::string(64 << 20, 'x'));
  EXPECT_EQ(client->read_through("\r\n"), "4000000\r\n");
  EXPECT_TRUE(stop(20s));
}

TEST_F(StreamWriterTest, what_outlives_the_grace_is_cut) {
  HttpOptions options;
  options.stop_body_timeout = 60s;
  start(options);
  const auto client = connect();
  stream_->put(std::string(64 << 20, 'x'));
  EXPECT_EQ(client->read_through("\r\n"), "4000000\r\n");
  EXPECT_FALSE(stop(20ms));
  EXPECT_TRUE(stream_->closed);
}

TEST_F(StreamWriterTest, at_the_bound_the_oldest_stream_makes_room) {
  HttpOptions options;
  options.max_connections = 1;
  start(options);
  const auto client = connect();
  RawClient next(endpoint_);
  next.send("GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(next.read_response().ends_with("/b"));
  EXPECT_EQ(client->read_through("0\r\n\r\n"), "0\r\n\r\n");
  EXPECT_TRUE(client->closed());
}

TEST_F(StreamWriterTest, the_stream_may_live_on_another_thread) {
  start({}, true);
  auto client = connect();
  for (int i = 0; i < 50; ++i) {
    stream_->put("data\n\n");
    EXPECT_EQ(client->read_through("\n\n\r\n"), "6\r\ndata\n\n\r\n");
  }
  client.reset();
  EXPECT_TRUE(closed());
}

}  // namespace
}  // namespace portunus::server::http
