#include "tests/support/client_hello.hpp"

namespace portunus::test {
namespace {

std::string number(std::size_t value, int width) {
  std::string out;
  while (width-- > 0) out += static_cast<char>((value >> (8 * width)) & 0xFF);
  return out;
}

std::string vector(std::string_view body, int width, Lie length) {
  return number(length.value_or(body.size()), width) + std::string(body);
}

std::string record(const ClientHello& hello, std::string_view body, Lie length) {
  return number(hello.record_type, 1) + number(hello.major, 1) + number(hello.minor, 1) +
         vector(body, 2, length);
}

}  // namespace

HelloExtension server_name_extension(const std::vector<NameEntry>& entries, Lie list_length) {
  std::string list;
  for (const NameEntry& entry : entries) {
    list += number(entry.type, 1) + vector(entry.name, 2, entry.length);
  }
  return {0, vector(list, 2, list_length)};
}

HelloExtension grease_extension() {
  return {0x1A1A, std::string(1, '\0')};
}

HelloExtension padding_extension(std::size_t size) {
  return {21, std::string(size, '\0')};
}

std::string ClientHello::message() const {
  std::string body = number(0x0303, 2) + std::string(32, 'r');
  body += vector(session_id, 1, session_id_length);
  body += vector(cipher_suites, 2, cipher_suites_length);
  body += vector(compression, 1, compression_length);
  if (extensions) {
    std::string list;
    for (const HelloExtension& e : *extensions) {
      list += number(e.type, 2) + vector(e.body, 2, e.length);
    }
    body += vector(list, 2, extensions_length);
  }
  return number(handshake_type, 1) + vector(body + message_tail, 3, handshake_length);
}

std::string ClientHello::bytes() const {
  return record(*this, message() + record_tail, record_length);
}

std::string client_hello(std::string_view name) {
  ClientHello hello;
  hello.extensions = {grease_extension(),
                      server_name_extension({{std::string(name)}}),
                      {16, std::string("\0\3\2h2", 5)}};
  return hello.bytes();
}

std::string split_over_records(const ClientHello& hello, std::size_t first) {
  const std::string message = hello.message();
  return record(hello, message.substr(0, first), {}) + record(hello, message.substr(first), {});
}

}  // namespace portunus::test
