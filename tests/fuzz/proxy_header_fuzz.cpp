// The PROXY protocol encoder against the decoder, and the decoder against anything.

#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "common/net/endpoint.hpp"
#include "dataplane/proxy_protocol/header.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace {

namespace proxy = portunus::dataplane::proxy_protocol;
using portunus::fuzz::Input;
using portunus::model::ProxyVersion;
using portunus::net::Endpoint;

/// As the kernel gives it.
Endpoint consume_endpoint(FuzzedDataProvider& data) {
  sockaddr_storage storage{};
  if (data.ConsumeBool()) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = data.ConsumeIntegral<std::uint16_t>();
    in.sin_addr.s_addr = data.ConsumeIntegral<std::uint32_t>();
    std::memcpy(&storage, &in, sizeof in);
  } else {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = data.ConsumeIntegral<std::uint16_t>();
    data.ConsumeData(&in.sin6_addr, sizeof in.sin6_addr);
    std::memcpy(&storage, &in, sizeof in);
  }
  return *Endpoint::from_sockaddr(storage);
}

void check_round_trip(Input input) {
  FuzzedDataProvider data(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  const auto version = data.ConsumeBool() ? ProxyVersion::v1 : ProxyVersion::v2;
  const Endpoint source = consume_endpoint(data);
  const Endpoint destination = consume_endpoint(data);
  const auto header = proxy::encode(version, source, destination);
  FUZZ_CHECK(header.has_value() == (source.family() == destination.family()));
  if (!header) return;
  FUZZ_CHECK(header->size <= proxy::kMaxHeader);

  std::vector<std::byte> sent(header->bytes().begin(), header->bytes().end());
  for (std::size_t size = 0; size < sent.size(); ++size) {
    FUZZ_CHECK(!proxy::decode(std::span(sent).first(size)));
  }
  const std::size_t length = sent.size();
  const auto payload = data.ConsumeRemainingBytes<std::uint8_t>();
  for (const auto byte : payload) sent.push_back(std::byte{byte});
  const auto decoded = proxy::decode(sent);
  FUZZ_CHECK(decoded);
  FUZZ_CHECK(decoded->version == version && decoded->size == length);
  FUZZ_CHECK(decoded->source == source && decoded->destination == destination);
}

/// What the decoder takes is a header of those addresses.
void check_decoder(Input input) {
  const auto decoded = proxy::decode(input);
  if (!decoded) return;
  FUZZ_CHECK(decoded->size <= input.size());
  FUZZ_CHECK(decoded->source.family() == decoded->destination.family());
  const auto again = proxy::encode(decoded->version, decoded->source, decoded->destination);
  FUZZ_CHECK(again);
  const auto once_more = proxy::decode(again->bytes());
  FUZZ_CHECK(once_more && once_more->source == decoded->source &&
             once_more->destination == decoded->destination);
}

}  // namespace

PORTUNUS_FUZZ_TARGET(proxy_header)(Input input) {
  check_round_trip(input);
  check_decoder(input);
}
