#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace portunus::test {

/// A number of the hello that is written as it is instead of the right one.
using Lie = std::optional<std::size_t>;

struct HelloExtension {
  std::uint16_t type = 0;
  std::string body;
  Lie length = {};
};

/// An entry of a server_name extension's list; type 0 is host_name.
struct NameEntry {
  std::string name;
  std::uint8_t type = 0;
  Lie length = {};
};
HelloExtension server_name_extension(const std::vector<NameEntry>& entries, Lie list_length = {});
/// A reserved extension type as browsers send it (RFC 8701).
HelloExtension grease_extension();
/// A padding extension of `size` bytes (RFC 7685).
HelloExtension padding_extension(std::size_t size);

/// A ClientHello in one TLS record, in every shape that a test wants, the impossible ones included.
struct ClientHello {
  std::uint8_t record_type = 22;
  std::uint8_t major = 3;
  std::uint8_t minor = 1;
  Lie record_length = {};
  std::uint8_t handshake_type = 1;
  Lie handshake_length = {};
  std::string session_id = std::string(32, 's');
  Lie session_id_length = {};
  std::string cipher_suites = std::string("\x13\x01\xC0\x2F", 4);
  Lie cipher_suites_length = {};
  std::string compression = std::string(1, '\0');
  Lie compression_length = {};
  /// Absent = the hello ends behind the compression methods.
  std::optional<std::vector<HelloExtension>> extensions = std::vector<HelloExtension>{};
  Lie extensions_length = {};
  /// Behind the extensions, inside of the message.
  std::string message_tail = {};
  /// Behind the message, inside of the record.
  std::string record_tail = {};

  /// The whole record.
  std::string bytes() const;
  /// The handshake message alone.
  std::string message() const;
};

/// An ordinary hello for `name`.
std::string client_hello(std::string_view name);
/// The message cut after `first` bytes, in two records.
std::string split_over_records(const ClientHello& hello, std::size_t first);

inline std::span<const std::byte> byte_span(std::string_view text) {
  return std::as_bytes(std::span(text));
}

}  // namespace portunus::test
