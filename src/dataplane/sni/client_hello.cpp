#include "dataplane/sni/client_hello.hpp"

#include <optional>
#include <string_view>

#include "common/base/utf8.hpp"

namespace portunus::dataplane::sni {
namespace {

using Bytes = std::span<const std::byte>;

// RFC 8446 sections 5.1 and 4, RFC 6066 section 3.
constexpr unsigned kHandshakeRecord = 22;
constexpr unsigned kMajorVersion = 3;
/// The first fields of a record, of one byte each.
constexpr std::size_t kTypeAndMajor = 2;
constexpr std::size_t kRecordHeader = 5;
constexpr std::size_t kMaxRecord = 16384;
constexpr unsigned kClientHello = 1;
constexpr std::size_t kVersionAndRandom = 34;
constexpr unsigned kServerNameExtension = 0;
constexpr unsigned kHostName = 0;

/// Takes fields off the front of a structure. A field that reaches over the end makes it failed
/// from then on; everything taken after that is empty or 0.
class Fields {
 public:
  explicit Fields(Bytes bytes) : left_(bytes) {}

  bool failed() const { return failed_; }
  /// Another field follows.
  bool more() const { return !failed_ && !left_.empty(); }

  unsigned number(std::size_t width) {
    unsigned value = 0;
    for (const std::byte b : bytes(width)) value = (value << 8) | std::to_integer<unsigned>(b);
    return value;
  }
  Bytes bytes(std::size_t count) {
    if (failed_ || count > left_.size()) {
      failed_ = true;
      return {};
    }
    const Bytes taken = left_.first(count);
    left_ = left_.subspan(count);
    return taken;
  }
  /// A length of `width` bytes and that many bytes.
  Bytes vector(std::size_t width) { return bytes(number(width)); }

 private:
  Bytes left_;
  bool failed_ = false;
};

std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Lower case, without white space and trailing dots at its ends.
std::string canonical_name(std::string_view name) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  constexpr std::string_view kSpaceOrDot = " \t\n\v\f\r.";
  const std::size_t first = name.find_first_not_of(kSpace);
  const std::size_t last = name.find_last_not_of(kSpaceOrDot);
  if (first == name.npos || last == name.npos || last < first) return {};
  std::string out(name.substr(first, last - first + 1));
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

/// The raw name of a server_name extension: its first non-empty host_name, or empty. Nothing when a
/// length in it reaches over its end.
std::optional<std::string_view> host_name(Bytes extension) {
  Fields outer(extension);
  Fields list(outer.vector(2));
  if (outer.failed()) return std::nullopt;
  std::string_view found;
  while (list.more()) {
    const unsigned type = list.number(1);
    const Bytes name = list.vector(2);
    if (type == kHostName && found.empty()) found = text_of(name);
  }
  if (list.failed()) return std::nullopt;
  return found;
}

/// The raw name that the extensions give, empty for none; the first server_name extension decides.
/// Nothing when a length in any of them reaches over its end.
std::optional<std::string_view> server_name(Bytes extensions) {
  Fields list(extensions);
  std::optional<std::string_view> found;
  while (list.more()) {
    const unsigned type = list.number(2);
    const Bytes body = list.vector(2);
    if (list.failed()) return std::nullopt;
    if (type != kServerNameExtension || found) continue;
    found = host_name(body);
    if (!found) return std::nullopt;
  }
  if (list.failed()) return std::nullopt;
  return found.value_or(std::string_view{});
}

/// The raw name in the body of a ClientHello message; nothing when it is malformed.
std::optional<std::string_view> name_in_hello(Bytes body) {
  Fields hello(body);
  hello.bytes(kVersionAndRandom);
  hello.vector(1);  // session id
  hello.vector(2);  // cipher suites
  hello.vector(1);  // compression methods
  if (hello.failed()) return std::nullopt;
  if (!hello.more()) return std::string_view{};
  const Bytes extensions = hello.vector(2);
  if (hello.failed()) return std::nullopt;
  return server_name(extensions);
}

}  // namespace

std::size_t bytes_for_verdict(Bytes bytes) {
  if (bytes.size() < kTypeAndMajor) return bytes.size() + 1;
  if (bytes.size() < kRecordHeader) return kRecordHeader;
  return kRecordHeader + Fields(bytes.subspan(3)).number(2);
}

Hello parse_client_hello(Bytes bytes) {
  using enum Hello::State;
  if (!bytes.empty() && std::to_integer<unsigned>(bytes[0]) != kHandshakeRecord) {
    return {not_tls, {}};
  }
  if (bytes.size() > 1 && std::to_integer<unsigned>(bytes[1]) != kMajorVersion) {
    return {not_tls, {}};
  }
  if (bytes.size() < kRecordHeader) return {incomplete, {}};

  Fields record_fields(bytes.subspan(3));
  const std::size_t length = record_fields.number(2);
  if (length == 0 || length > kMaxRecord) return {malformed, {}};
  const Bytes record = record_fields.bytes(length);
  if (record_fields.failed()) return {incomplete, {}};

  Fields handshake(record);
  const unsigned type = handshake.number(1);
  const Bytes body = handshake.vector(3);
  if (handshake.failed() || type != kClientHello) return {malformed, {}};
  const auto name = name_in_hello(body);
  if (!name || !is_utf8(*name)) return {malformed, {}};
  return {valid, canonical_name(*name)};
}

}  // namespace portunus::dataplane::sni
