#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "common/async/within.hpp"
#include "server/http/errc.hpp"
#include "server/http/http_listener.hpp"
#include "tests/server/support/raw_client.hpp"
#include "tests/support/eventually.hpp"

namespace portunus::server::http {

namespace asio = boost::asio;
using testing::RawClient;

inline async::Task<> do_nothing() {
  co_return;
}

/// How many /slow and /wait have begun in this process.
inline std::atomic<int> slow_begun{0};

/// Answers "<method> <path>?<query> <body>"; /throw, /ignore, /slow and /wait behave as they are
/// called.
inline async::Task<Response> echo(Request request) {
  if (request.path == "/throw") throw std::runtime_error("secret detail");
  if (request.path == "/slow" || request.path == "/wait") {
    ++slow_begun;
    const auto time =
        request.path == "/slow" ? std::chrono::milliseconds(200) : std::chrono::milliseconds(2000);
    const bool waited = co_await async::sleep_for(time);
    co_return make_response(200, "text/plain", waited ? "waited" : "cancelled");
  }
  std::string body;
  if (request.path != "/ignore") {
    Result<std::string> read = co_await request.body->read();
    if (!read) {
      const unsigned status = read.error() == Errc::bodies_too_large ? 503 : 413;
      co_return make_response(status, "text/plain", read.error().code.message());
    }
    body = std::move(*read);
  }
  if (request.path == "/peer") body = request.peer.address().text();
  if (request.path == "/large")
    co_return make_response(200, "text/plain", std::string(8'000'000, 'x'));
  if (request.path == "/size") body = std::to_string(body.size());
  if (request.path == "/none") co_return no_content();
  co_return make_response(
      200, "text/plain",
      request.method_text + " " + request.path + "?" + request.query + " " + body);
}

class HttpListenerTest : public ::testing::Test {
 protected:
  void start(HttpOptions options = {}, std::string_view listen = "127.0.0.1:0") {
    options.linger_timeout = std::chrono::milliseconds(300);
    domain_ = std::make_unique<asio::io_context>(1);
    listener_ =
        std::make_unique<HttpListener>(io_.get_executor(), io_.get_executor(), echo, options);
    run(listen);
  }
  /// The handler on a thread of its own: what this release does not do, but may.
  void start_with_domain_thread() {
    domain_ = std::make_unique<asio::io_context>(1);
    domain_work_.emplace(asio::make_work_guard(*domain_));
    domain_thread_ = std::thread([this] { domain_->run(); });
    listener_ = std::make_unique<HttpListener>(io_.get_executor(), domain_->get_executor(), echo,
                                               HttpOptions{});
    run();
  }
  void run(std::string_view listen = "127.0.0.1:0") {
    const auto bound = listener_->listen(*net::Endpoint::parse(listen));
    ASSERT_TRUE(bound) << bound.error().text();
    endpoint_ = *bound;
    listener_->start();
    work_.emplace(asio::make_work_guard(io_));
    thread_ = std::thread([this] { io_.run(); });
  }
  bool stop(std::chrono::milliseconds grace = std::chrono::seconds(5)) {
    if (!thread_.joinable()) return true;
    auto done = asio::co_spawn(io_, listener_->drain(grace), asio::use_future);
    const bool clean = done.get();
    work_.reset();
    thread_.join();
    domain_work_.reset();
    if (domain_thread_.joinable()) domain_thread_.join();
    return clean;
  }
  void TearDown() override { stop(); }

  RawClient connect() { return RawClient(endpoint_); }
  std::string ask(std::string_view bytes) {
    RawClient client(endpoint_);
    client.send(bytes);
    return client.read_all();
  }
  /// Whatever the loop has been given so far is done.
  void settle() { asio::co_spawn(io_, do_nothing(), asio::use_future).get(); }

  asio::io_context io_{1};
  std::unique_ptr<asio::io_context> domain_;
  std::unique_ptr<HttpListener> listener_;
  net::Endpoint endpoint_;

 private:
  using Work = asio::executor_work_guard<asio::io_context::executor_type>;
  std::optional<Work> work_;
  std::optional<Work> domain_work_;
  std::thread thread_;
  std::thread domain_thread_;
};

inline bool begins(const std::string& text, std::string_view start) {
  return text.starts_with(start);
}
inline bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace portunus::server::http
