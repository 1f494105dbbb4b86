#include "server/cli/api_client.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <utility>
#include <vector>

#include "common/async/task.hpp"
#include "common/base/version.hpp"
#include "common/name_lookup/errc.hpp"
#include "common/net/asio_endpoint.hpp"
#include "common/net/endpoint.hpp"

namespace portunus::server::cli {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using asio::ip::tcp;
using Clock = std::chrono::steady_clock;
using Message = bhttp::request<bhttp::string_body>;
using Answer = std::expected<ApiResponse, std::string>;
using Addresses = std::vector<tcp::endpoint>;

/// A list of every rule of a large installation is a few MiB.
constexpr std::uint64_t kMaxBody = 256ULL * 1024 * 1024;

struct Deadlines {
  Clock::time_point connect;
  Clock::time_point total;
  std::chrono::milliseconds connect_limit;
  std::chrono::milliseconds total_limit;
};

std::string seconds(std::chrono::milliseconds limit) {
  const auto whole = limit.count() / 1000;
  if (limit.count() % 1000 == 0) return std::to_string(whole) + " s";
  return std::to_string(limit.count()) + " ms";
}

bhttp::verb verb_of(ApiMethod method) {
  switch (method) {
    case ApiMethod::get:
      return bhttp::verb::get;
    case ApiMethod::post:
      return bhttp::verb::post;
    case ApiMethod::put:
      return bhttp::verb::put;
    case ApiMethod::patch:
      return bhttp::verb::patch;
    case ApiMethod::remove:
      return bhttp::verb::delete_;
  }
  return bhttp::verb::get;
}

Message make_message(const ApiClient::Options& options, const ApiRequest& request) {
  Message message(verb_of(request.method), request.target, 11);
  message.set(bhttp::field::host, options.endpoint.text);
  message.set(bhttp::field::user_agent, "portunus-server/" + std::string(kVersion));
  message.set(bhttp::field::accept, "application/json");
  message.set(bhttp::field::connection, "close");
  if (options.token) message.set(bhttp::field::authorization, "Bearer " + options.token->reveal());
  if (request.body) {
    message.set(bhttp::field::content_type, "application/json");
    message.body() = *request.body;
  }
  message.prepare_payload();
  return message;
}

std::string describe(const beast::error_code& ec, std::chrono::milliseconds limit) {
  if (ec == beast::error::timeout) return "timed out after " + seconds(limit);
  if (ec == bhttp::error::end_of_stream) return "the connection closed before an answer";
  return ec.message();
}

async::Task<std::expected<Addresses, std::string>> resolve(const ApiClient::Options& options,
                                                           Deadlines deadlines) {
  const ApiEndpoint& endpoint = options.endpoint;
  const auto found =
      co_await name_lookup::look_up(endpoint.host, net::parse_port(endpoint.port).value_or(0),
                                    deadlines.connect - Clock::now(), options.resolver);
  if (!found && found.error().code == name_lookup::Errc::timed_out) {
    co_return std::unexpected("resolve " + endpoint.host + ": timed out after " +
                              seconds(deadlines.connect_limit));
  }
  if (!found) co_return std::unexpected(found.error().text());
  Addresses addresses;
  for (const net::Endpoint& entry : *found) {
    addresses.push_back(net::asio_endpoint<tcp>(entry));
  }
  co_return addresses;
}

async::Task<Answer> exchange(beast::tcp_stream& stream, const ApiClient::Options& options,
                             const Message& message, Deadlines deadlines) {
  auto addresses = co_await resolve(options, deadlines);
  if (!addresses) co_return std::unexpected(std::move(addresses.error()));
  stream.expires_at(deadlines.connect);
  const auto [connect_ec, peer] = co_await stream.async_connect(*addresses, async::kTuple);
  if (connect_ec) {
    co_return std::unexpected("connect " + options.endpoint.text + ": " +
                              describe(connect_ec, deadlines.connect_limit));
  }
  stream.expires_at(deadlines.total);
  const auto [write_ec, written] = co_await bhttp::async_write(stream, message, async::kTuple);
  // A server may answer and close before it has read everything: its answer counts.
  if (write_ec == beast::error::timeout) {
    co_return std::unexpected("send: " + describe(write_ec, deadlines.total_limit));
  }
  beast::flat_buffer buffer;
  bhttp::response_parser<bhttp::string_body> parser;
  parser.body_limit(kMaxBody);
  const auto [read_ec, read] = co_await bhttp::async_read(stream, buffer, parser, async::kTuple);
  if (read_ec) {
    const beast::error_code& cause = write_ec ? write_ec : read_ec;
    co_return std::unexpected((write_ec ? "send: " : "receive: ") +
                              describe(cause, deadlines.total_limit));
  }
  ApiResponse response;
  response.status = parser.get().result_int();
  response.reason = std::string(bhttp::obsolete_reason(parser.get().result()));
  response.body = std::move(parser.get().body());
  co_return response;
}

bool sendable(const Secret& token) {
  return std::ranges::all_of(token.reveal(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte != 0x7F;
  });
}

bool is_name_character(char c) {
  return static_cast<unsigned char>(c) > 0x20 && c != 0x7F && c != '/' && c != '?' && c != '#' &&
         c != '@' && c != ':' && c != '[' && c != ']';
}

}  // namespace

std::optional<ApiEndpoint> ApiEndpoint::parse(std::string_view text) {
  const auto parts = net::split_host_port(text);
  if (!parts || !net::parse_port(parts->port)) return std::nullopt;
  std::string_view host = parts->host;
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    const auto address = net::IpAddress::parse(host);
    if (!address || !address->is_v6()) return std::nullopt;
  } else if (host.empty() || !std::ranges::all_of(host, is_name_character)) {
    return std::nullopt;
  }
  return ApiEndpoint{std::string(host), std::string(parts->port), std::string(text)};
}

std::expected<ApiResponse, std::string> ApiClient::send(const ApiRequest& request) const {
  if (options_.token && !sendable(*options_.token)) {
    return std::unexpected("PORTUNUS_OPERATOR_TOKEN contains a control character");
  }
  const auto begin = Clock::now();
  const auto connect_limit = std::min(options_.connect_timeout, options_.total_timeout);
  const Deadlines deadlines{.connect = begin + connect_limit,
                            .total = begin + options_.total_timeout,
                            .connect_limit = connect_limit,
                            .total_limit = options_.total_timeout};
  const Message message = make_message(options_, request);
  asio::io_context io(1);
  beast::tcp_stream stream(io);
  auto answer =
      asio::co_spawn(io, exchange(stream, options_, message, deadlines), asio::use_future);
  io.run();
  return answer.get();
}

}  // namespace portunus::server::cli
