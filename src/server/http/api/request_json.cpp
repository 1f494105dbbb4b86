#include "server/http/api/request_json.hpp"

#include <algorithm>
#include <utility>

#include "server/http/api/object_reader.hpp"

namespace portunus::server::http::api {
namespace {

/// More would overflow the clock's arithmetic and outlives any HTTP client.
constexpr std::uint64_t kLongestAckSecs = 86'400;

rules::WantedTarget decode_target(ObjectReader& reader) {
  return {.host = reader.required("host", reader.text("host")),
          .port = reader.required("port", reader.integer<std::uint16_t>("port")),
          .priority = reader.integer<std::uint32_t>("priority"),
          .proxy_protocol = reader.text("proxy_protocol")};
}

}  // namespace

Result<EnrollBody> decode_enroll(std::string_view body) {
  ObjectReader reader(body);
  EnrollBody out;
  out.name = reader.required("name", reader.text("name"));
  out.address = reader.text("address");
  out.ttl_secs = reader.integer<std::int64_t>("ttl_secs").value_or(kDefaultTtlSecs);
  return reader.finish(std::move(out));
}

Result<std::int64_t> decode_ttl(std::string_view body) {
  ObjectReader reader(body);
  return reader.finish(reader.integer<std::int64_t>("ttl_secs").value_or(kDefaultTtlSecs));
}

Result<std::string> decode_address(std::string_view body) {
  ObjectReader reader(body);
  return reader.finish(reader.required("address", reader.text("address")));
}

Result<std::string> decode_client_name(std::string_view body) {
  ObjectReader reader(body);
  return reader.finish(reader.required("client_name", reader.text("client_name")));
}

Result<rules::PushRequest> decode_push(std::string_view body) {
  ObjectReader reader(body);
  rules::PushRequest push;
  push.client = reader.required("client", reader.text("client"));
  push.listen_port = reader.required("listen_port", reader.integer<std::uint16_t>("listen_port"));
  push.listen_port_end = reader.integer<std::uint16_t>("listen_port_end");
  push.target_host = reader.text("target_host");
  push.target_port = reader.integer<std::uint16_t>("target_port");
  push.target_port_end = reader.integer<std::uint16_t>("target_port_end");
  push.targets = reader.objects("targets", decode_target);
  push.protocol = reader.text("protocol").value_or("tcp");
  push.prefer_ipv6 = reader.flag("prefer_ipv6");
  push.health_check_interval_secs = reader.integer<std::uint32_t>("health_check_interval_secs");
  push.sni_pattern = reader.text("sni_pattern");
  if (auto caps = reader.object("rate_limit", decode_caps)) {
    push.rate_limit = rules::WantedCaps{std::move(caps->limit), caps->reserved_key};
  }
  const std::uint64_t ack = reader.integer<std::uint64_t>("ack_timeout_secs").value_or(2);
  push.ack_timeout = std::chrono::seconds(std::min(ack, kLongestAckSecs));
  return reader.finish(std::move(push));
}

CapsBody decode_caps(ObjectReader& reader) {
  CapsBody caps;
  caps.limit.bandwidth_in_bps = reader.integer<std::uint64_t>("bandwidth_in_bps");
  caps.limit.bandwidth_out_bps = reader.integer<std::uint64_t>("bandwidth_out_bps");
  caps.limit.new_connections_per_sec = reader.integer<std::uint32_t>("new_connections_per_sec");
  caps.limit.concurrent_connections = reader.integer<std::uint32_t>("concurrent_connections");
  caps.limit.bandwidth_in_burst = reader.integer<std::uint64_t>("bandwidth_in_burst");
  caps.limit.bandwidth_out_burst = reader.integer<std::uint64_t>("bandwidth_out_burst");
  caps.limit.new_connections_burst = reader.integer<std::uint32_t>("new_connections_burst");
  caps.reserved_key = reader.present("concurrent_connections_burst");
  return caps;
}

}  // namespace portunus::server::http::api
