// Callers of the operator API: a list of requests over some kept connections, and how long the
// answers took.
//
//   api_load <ip:port> <requests> <connections> <once|seconds> <rate> [answers]
//
// <requests> has one request per line, "METHOD PATH" or "METHOD PATH BODY"; all connections take
// the next line in turn, each line once or round and round for that many seconds. <rate> is in
// requests per second, 0 = as soon as the one before is answered. With a rate a time counts from
// when the request was due, so a server that stalls cannot hide the requests it kept waiting. The
// bearer token is PORTUNUS_OPERATOR_TOKEN. <answers> gets one body per line, in the order of the
// requests, empty where the status was not 2xx; only with "once".
//
// Prints one JSON object; times are those of 2xx answers.

#include <fmt/format.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/control/latencies.hpp"

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Steady = std::chrono::steady_clock;
using portunus::bench::Latencies;

constexpr std::chrono::seconds kPatience{60};

[[noreturn]] void fail(const std::string& what) {
  fmt::print(stderr, "error: {}\n", what);
  std::exit(1);
}

[[noreturn]] void usage() {
  fmt::print(
      stderr,
      "usage: api_load <ip:port> <requests> <connections> <once|seconds> <rate> [answers]\n");
  std::exit(2);
}

unsigned number(std::string_view text, unsigned low, unsigned high) {
  unsigned value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc() || end != text.data() + text.size() || value < low || value > high) usage();
  return value;
}

struct Call {
  http::verb method;
  std::string path;
  std::string body;
};

std::vector<Call> read_calls(const std::string& path) {
  std::ifstream file(path);
  std::vector<Call> calls;
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(' ');
    if (first == std::string::npos) fail("not a request: " + line);
    const std::size_t second = line.find(' ', first + 1);
    const bool bodiless = second == std::string::npos;
    calls.push_back({http::string_to_verb(std::string_view(line).substr(0, first)),
                     line.substr(first + 1, bodiless ? second : second - first - 1),
                     bodiless ? std::string() : line.substr(second + 1)});
  }
  if (calls.empty()) fail("no requests in " + path);
  return calls;
}

/// What all connections share; one thread.
struct Load {
  asio::ip::tcp::endpoint server;
  std::string authorization;
  std::vector<Call> calls;
  std::optional<std::chrono::seconds> time;  ///< nothing: each call once
  unsigned rate = 0;
  bool keep_answers = false;

  Steady::time_point begin = Steady::now();
  std::size_t next = 0;
  std::vector<std::string> answers;
  std::map<unsigned, std::size_t> statuses;
  std::size_t broken = 0;  ///< connections that failed under a request
  std::size_t bytes = 0;
  Latencies times;

  Steady::time_point due(std::size_t number) const {
    if (rate == 0) return Steady::now();
    return begin + std::chrono::nanoseconds(number * 1'000'000'000ULL / rate);
  }
  bool over(Steady::time_point due_at) const {
    return time ? due_at >= begin + *time : next >= calls.size();
  }
};

http::request<http::string_body> request_of(const Load& load, const Call& call) {
  http::request<http::string_body> request(call.method, call.path, 11);
  request.set(http::field::host, "127.0.0.1");
  if (!load.authorization.empty()) request.set(http::field::authorization, load.authorization);
  if (!call.body.empty()) {
    request.set(http::field::content_type, "application/json");
    request.body() = call.body;
  }
  request.prepare_payload();
  return request;
}

/// One request and its answer over the connection, which is made where there is none.
asio::awaitable<http::response<http::string_body>> ask(const Load& load, const Call& call,
                                                       std::optional<beast::tcp_stream>& stream,
                                                       beast::flat_buffer& buffer) {
  if (!stream) {
    const auto executor = co_await asio::this_coro::executor;
    stream.emplace(executor);
    stream->expires_after(kPatience);
    co_await stream->async_connect(load.server, asio::use_awaitable);
    stream->socket().set_option(asio::ip::tcp::no_delay(true));
  }
  stream->expires_after(kPatience);
  const auto request = request_of(load, call);
  co_await http::async_write(*stream, request, asio::use_awaitable);
  http::response_parser<http::string_body> parser;
  parser.body_limit(boost::none);
  co_await http::async_read(*stream, buffer, parser, asio::use_awaitable);
  if (!parser.get().keep_alive()) stream.reset();
  co_return parser.release();
}

void book(Load& load, std::size_t number, Steady::time_point due,
          http::response<http::string_body> answer) {
  ++load.statuses[answer.result_int()];
  load.bytes += answer.body().size();
  if (http::to_status_class(answer.result()) != http::status_class::successful) return;
  load.times.add(Steady::now() - due);
  if (load.keep_answers) load.answers[number] = std::move(answer.body());
}

asio::awaitable<void> caller(Load& load) {
  std::optional<beast::tcp_stream> stream;
  beast::flat_buffer buffer;
  asio::steady_timer timer(co_await asio::this_coro::executor);
  while (true) {
    const auto due = load.due(load.next);
    if (load.over(due)) co_return;
    const std::size_t number = load.next++;
    timer.expires_at(due);
    if (load.rate != 0) co_await timer.async_wait(asio::use_awaitable);
    bool failed = false;
    try {
      auto answer = co_await ask(load, load.calls[number % load.calls.size()], stream, buffer);
      book(load, number, due, std::move(answer));
    } catch (const boost::system::system_error&) {
      failed = true;
    }
    if (failed) {
      ++load.broken;
      stream.reset();
      buffer.clear();
      // A server that is gone would be asked thousands of times a second.
      timer.expires_after(std::chrono::milliseconds(20));
      co_await timer.async_wait(asio::use_awaitable);
    }
  }
}

void print(Load& load) {
  const std::chrono::duration<double> taken = Steady::now() - load.begin;
  std::string statuses;
  for (const auto& [status, count] : load.statuses) {
    statuses += fmt::format("{}\"{}\":{}", statuses.empty() ? "" : ",", status, count);
  }
  const std::size_t good = load.times.count();
  fmt::print(R"({{"good":{},"statuses":{{{}}},"broken":{},"bytes":{},"seconds":{:.3f},)"
             R"("per_second":{:.2f},"us_p50":{},"us_p99":{},"us_max":{}}})"
             "\n",
             good, statuses, load.broken, load.bytes, taken.count(),
             static_cast<double>(good) / taken.count(), load.times.at(0.5), load.times.at(0.99),
             load.times.at(1));
}

asio::ip::tcp::endpoint endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) usage();
  boost::system::error_code ec;
  const auto address = asio::ip::make_address(std::string(text.substr(0, colon)), ec);
  if (ec) usage();
  return {address, static_cast<std::uint16_t>(number(text.substr(colon + 1), 1, 65'535))};
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  if (args.size() != 5 && args.size() != 6) usage();
  Load load;
  load.server = endpoint(args[0]);
  load.calls = read_calls(args[1]);
  const unsigned connections = number(args[2], 1, 500);
  if (args[3] != "once") load.time = std::chrono::seconds(number(args[3], 1, 600));
  load.rate = number(args[4], 0, 1'000'000);
  load.keep_answers = args.size() == 6 && !load.time;
  if (load.keep_answers) load.answers.resize(load.calls.size());
  if (const char* token = std::getenv("PORTUNUS_OPERATOR_TOKEN")) {
    load.authorization = std::string("Bearer ") + token;
  }

  asio::io_context io(1);
  load.begin = Steady::now();
  for (unsigned i = 0; i < connections; ++i) {
    asio::co_spawn(io, caller(load), [](std::exception_ptr error) {
      if (error) std::rethrow_exception(error);
    });
  }
  io.run();
  print(load);
  if (!load.keep_answers) return 0;
  std::ofstream file(args[5]);
  for (const std::string& answer : load.answers) file << answer << '\n';
  file.close();
  if (!file) fail("cannot write " + args[5]);
  return 0;
}
