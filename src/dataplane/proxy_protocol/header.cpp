#include "dataplane/proxy_protocol/header.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace portunus::dataplane::proxy_protocol {
namespace {

using net::Endpoint;
using net::IpAddress;

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
/// Signature, version and command, family, length.
constexpr std::size_t kV2Prefix = 16;
constexpr std::uint8_t kVersion2Proxy = 0x21;
constexpr std::uint8_t kTcpOverV4 = 0x11;
constexpr std::uint8_t kTcpOverV6 = 0x21;

std::size_t address_size(bool v6) {
  return v6 ? 16 : 4;
}

/// Writes behind what is there; the longest header fits (kMaxHeader).
class Writer {
 public:
  explicit Writer(Header& header) : header_(header) {}
  void byte(std::uint8_t value) { header_.data[header_.size++] = std::byte{value}; }
  void number16(std::size_t value) {
    byte(static_cast<std::uint8_t>(value >> 8));
    byte(static_cast<std::uint8_t>(value));
  }
  void text(std::string_view value) {
    std::memcpy(header_.data.data() + header_.size, value.data(), value.size());
    header_.size = static_cast<std::uint8_t>(header_.size + value.size());
  }
  void decimal(std::uint16_t value) {
    char digits[5];
    std::size_t at = sizeof digits;
    do {
      digits[--at] = static_cast<char>('0' + value % 10);
      value = static_cast<std::uint16_t>(value / 10);
    } while (value != 0);
    text({digits + at, sizeof digits - at});
  }
  void canonical(const IpAddress& address) {
    char buffer[INET6_ADDRSTRLEN];
    ::inet_ntop(address.is_v6() ? AF_INET6 : AF_INET, address.bytes().data(), buffer,
                sizeof buffer);
    text(buffer);
  }
  void binary(const IpAddress& address) {
    for (std::size_t i = 0; i < address_size(address.is_v6()); ++i) byte(address.bytes()[i]);
  }

 private:
  Header& header_;
};

void write_v1(Writer out, const Endpoint& source, const Endpoint& destination) {
  out.text(source.address().is_v6() ? "PROXY TCP6 " : "PROXY TCP4 ");
  out.canonical(source.address());
  out.text(" ");
  out.canonical(destination.address());
  out.text(" ");
  out.decimal(source.port());
  out.text(" ");
  out.decimal(destination.port());
  out.text("\r\n");
}

void write_v2(Writer out, const Endpoint& source, const Endpoint& destination) {
  const bool v6 = source.address().is_v6();
  out.text(kSignature);
  out.byte(kVersion2Proxy);
  out.byte(v6 ? kTcpOverV6 : kTcpOverV4);
  out.number16(2 * address_size(v6) + 4);
  out.binary(source.address());
  out.binary(destination.address());
  out.number16(source.port());
  out.number16(destination.port());
}

std::string_view take_until(std::string_view& text, char end) {
  const std::string_view taken = text.substr(0, text.find(end));
  text.remove_prefix(std::min(taken.size() + 1, text.size()));
  return taken;
}

std::optional<Decoded> read_v1(std::string_view text) {
  constexpr std::string_view kStart = "PROXY ";
  const std::size_t end = text.substr(0, kMaxHeader).find("\r\n");
  if (!text.starts_with(kStart) || end == text.npos) return std::nullopt;
  std::string_view line = text.substr(0, end).substr(kStart.size());
  const std::string_view family = take_until(line, ' ');
  const auto source = IpAddress::parse(take_until(line, ' '));
  const auto destination = IpAddress::parse(take_until(line, ' '));
  const auto source_port = net::parse_port(take_until(line, ' '), true);
  const auto destination_port = net::parse_port(line, true);
  const bool v6 = family == "TCP6";
  if ((!v6 && family != "TCP4") || !source || !destination || !source_port || !destination_port ||
      source->is_v6() != v6 || destination->is_v6() != v6) {
    return std::nullopt;
  }
  return Decoded{model::ProxyVersion::v1, Endpoint(*source, *source_port),
                 Endpoint(*destination, *destination_port), end + 2};
}

std::uint16_t number16(std::string_view bytes) {
  return static_cast<std::uint16_t>((static_cast<unsigned char>(bytes[0]) << 8) |
                                    static_cast<unsigned char>(bytes[1]));
}

std::optional<Endpoint> endpoint_from(std::string_view address, std::uint16_t port) {
  char buffer[INET6_ADDRSTRLEN];
  ::inet_ntop(address.size() == 16 ? AF_INET6 : AF_INET, address.data(), buffer, sizeof buffer);
  const auto parsed = IpAddress::parse(buffer);
  if (!parsed) return std::nullopt;
  return Endpoint(*parsed, port);
}

std::optional<Decoded> read_v2(std::string_view text) {
  if (!text.starts_with(kSignature) || text.size() < kV2Prefix) return std::nullopt;
  const auto family = static_cast<std::uint8_t>(text[13]);
  if (static_cast<std::uint8_t>(text[12]) != kVersion2Proxy ||
      (family != kTcpOverV4 && family != kTcpOverV6)) {
    return std::nullopt;
  }
  const std::size_t width = address_size(family == kTcpOverV6);
  // More than the addresses may follow: type-length-value fields, which are skipped.
  const std::size_t length = number16(text.substr(14));
  if (length < 2 * width + 4 || text.size() < kV2Prefix + length) return std::nullopt;
  const std::string_view body = text.substr(kV2Prefix);
  const auto source = endpoint_from(body.substr(0, width), number16(body.substr(2 * width)));
  const auto destination =
      endpoint_from(body.substr(width, width), number16(body.substr(2 * width + 2)));
  if (!source || !destination) return std::nullopt;
  return Decoded{model::ProxyVersion::v2, *source, *destination, kV2Prefix + length};
}

}  // namespace

std::optional<Header> encode(model::ProxyVersion version, const Endpoint& source,
                             const Endpoint& destination) {
  if (source.family() != destination.family()) return std::nullopt;
  Header header;
  switch (version) {
    case model::ProxyVersion::v1:
      write_v1(Writer(header), source, destination);
      break;
    case model::ProxyVersion::v2:
      write_v2(Writer(header), source, destination);
      break;
  }
  return header;
}

std::optional<Decoded> decode(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (auto v1 = read_v1(text)) return v1;
  return read_v2(text);
}

}  // namespace portunus::dataplane::proxy_protocol
