#include "dataplane/sni/client_hello.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "tests/support/client_hello.hpp"

namespace portunus::dataplane::sni {
namespace {

using test::byte_span;
using test::ClientHello;
using test::HelloExtension;
using test::NameEntry;
using test::server_name_extension;
using State = Hello::State;

Hello parse(std::string_view bytes) {
  return parse_client_hello(byte_span(bytes));
}
State state(std::string_view bytes) {
  return parse(bytes).state;
}

ClientHello with_extensions(std::vector<HelloExtension> extensions) {
  ClientHello hello;
  hello.extensions = std::move(extensions);
  return hello;
}
ClientHello with_names(const std::vector<NameEntry>& names) {
  return with_extensions({server_name_extension(names)});
}
/// The name that a whole hello gives; a text that is no name when it is not valid.
std::string name(const ClientHello& hello) {
  const Hello got = parse(hello.bytes());
  return got.state == State::valid ? got.server_name : "<not valid>";
}

TEST(ClientHello, SNI_5_takes_the_name_of_a_plain_hello) {
  const Hello hello = parse(test::client_hello("www.example.com"));
  EXPECT_EQ(hello.state, State::valid);
  EXPECT_EQ(hello.server_name, "www.example.com");
}

TEST(ClientHello, SNI_5_wants_more_at_every_offset_before_the_end_of_the_record) {
  const std::string bytes = test::client_hello("www.example.com");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(state(std::string_view(bytes).substr(0, size)), State::incomplete) << size;
  }
  EXPECT_EQ(state(bytes), State::valid);
}

TEST(ClientHello, SNI_5_tells_how_many_bytes_a_verdict_takes) {
  const std::string bytes = test::client_hello("www.example.com");
  const auto needed = [&](std::size_t size) {
    return bytes_for_verdict(byte_span(std::string_view(bytes).substr(0, size)));
  };
  for (std::size_t size = 0; size < 2; ++size) EXPECT_EQ(needed(size), size + 1);
  for (std::size_t size = 2; size < 5; ++size) EXPECT_EQ(needed(size), 5u);
  for (std::size_t size = 5; size <= bytes.size(); ++size) EXPECT_EQ(needed(size), bytes.size());
}

TEST(ClientHello, SNI_5_every_byte_string_of_a_cut_message_is_malformed) {
  // The record is whole, what is in it is not: cut at every offset, and with a header that owns up
  // to the cut. Without its extensions block the hello is a valid one that names nobody.
  ClientHello bare;
  bare.extensions.reset();
  const std::size_t end_of_compression = bare.message().size();
  const ClientHello whole = with_names({{"www.example.com"}});
  const std::string message = whole.message();
  for (std::size_t size = 0; size < message.size(); ++size) {
    ClientHello record;
    const std::string cut = message.substr(0, size);
    std::string bytes = {22, 3, 1, static_cast<char>(size >> 8), static_cast<char>(size & 0xFF)};
    EXPECT_EQ(state(bytes + cut), State::malformed) << size;
    if (size < 4) continue;
    std::string honest = cut;
    honest[1] = 0;
    honest[2] = static_cast<char>((size - 4) >> 8);
    honest[3] = static_cast<char>((size - 4) & 0xFF);
    const State want = size == end_of_compression ? State::valid : State::malformed;
    EXPECT_EQ(state(bytes + honest), want) << size;
  }
}

TEST(ClientHello, SNI_5_another_record_type_or_major_version_is_not_tls_from_that_byte_on) {
  EXPECT_EQ(state(""), State::incomplete);
  EXPECT_EQ(state("G"), State::not_tls);
  EXPECT_EQ(state("SSH-2.0-OpenSSH_9.2\r\n"), State::not_tls);
  EXPECT_EQ(state("GET / HTTP/1.1\r\n\r\n"), State::not_tls);
  EXPECT_EQ(state(std::string_view("\0", 1)), State::not_tls);
  for (unsigned type = 0; type < 256; ++type) {
    ClientHello hello = with_names({{"a.b"}});
    hello.record_type = static_cast<std::uint8_t>(type);
    EXPECT_EQ(state(hello.bytes()), type == 22 ? State::valid : State::not_tls) << type;
  }
  EXPECT_EQ(state("\x16"), State::incomplete);
  EXPECT_EQ(state("\x16\x02"), State::not_tls);
  for (unsigned major = 0; major < 256; ++major) {
    ClientHello hello = with_names({{"a.b"}});
    hello.major = static_cast<std::uint8_t>(major);
    EXPECT_EQ(state(hello.bytes()), major == 3 ? State::valid : State::not_tls) << major;
  }
}

TEST(ClientHello, SNI_5_any_minor_version_of_the_record_will_do) {
  for (unsigned minor = 0; minor < 256; ++minor) {
    ClientHello hello = with_names({{"a.b"}});
    hello.minor = static_cast<std::uint8_t>(minor);
    EXPECT_EQ(name(hello), "a.b") << minor;
  }
}

TEST(ClientHello, SNI_5_a_record_length_outside_1_to_16384_is_malformed_at_once) {
  EXPECT_EQ(state(std::string_view("\x16\x03\x01\x00\x00", 5)), State::malformed);
  EXPECT_EQ(state(std::string_view("\x16\x03\x01\x40\x01", 5)), State::malformed);
  EXPECT_EQ(state(std::string_view("\x16\x03\x01\xFF\xFF", 5)), State::malformed);
  EXPECT_EQ(state(std::string_view("\x16\x03\x01\x40\x00", 5)), State::incomplete);
  EXPECT_EQ(state(std::string_view("\x16\x03\x01\x00\x01", 5)), State::incomplete);
}

TEST(ClientHello, SNI_5_the_longest_record_is_taken) {
  ClientHello hello = with_extensions({server_name_extension({{"big.example.com"}})});
  const std::size_t room = 16384 - hello.message().size() - 4;
  hello.extensions->push_back(test::padding_extension(room));
  ASSERT_EQ(hello.message().size(), 16384u);
  EXPECT_EQ(name(hello), "big.example.com");
  hello.extensions->back() = test::padding_extension(room + 1);
  EXPECT_EQ(state(hello.bytes()), State::malformed);
}

TEST(ClientHello, SNI_5_another_handshake_message_is_malformed) {
  for (unsigned type = 0; type < 256; ++type) {
    ClientHello hello = with_names({{"a.b"}});
    hello.handshake_type = static_cast<std::uint8_t>(type);
    EXPECT_EQ(state(hello.bytes()), type == 1 ? State::valid : State::malformed) << type;
  }
}

TEST(ClientHello, SNI_5_a_hello_split_over_records_is_malformed_wherever_the_cut_is) {
  const ClientHello hello = with_names({{"www.example.com"}});
  for (std::size_t first = 1; first < hello.message().size(); ++first) {
    EXPECT_EQ(state(test::split_over_records(hello, first)), State::malformed) << first;
  }
}

TEST(ClientHello, SNI_5_what_follows_the_message_in_its_record_or_behind_it_does_not_matter) {
  ClientHello hello = with_names({{"www.example.com"}});
  EXPECT_EQ(parse(hello.bytes() + std::string(50'000, '\xAA')).server_name, "www.example.com");
  hello.record_tail = "another message";
  EXPECT_EQ(name(hello), "www.example.com");
  hello.message_tail = "unknown to this version";
  EXPECT_EQ(name(hello), "www.example.com");
}

TEST(ClientHello, SNI_5_every_inner_length_overrun_is_malformed) {
  const auto broken = [](auto spoil) {
    ClientHello hello = with_names({{"www.example.com"}});
    spoil(hello);
    return state(hello.bytes());
  };
  const std::size_t whole = with_names({{"www.example.com"}}).message().size() - 4;
  EXPECT_EQ(broken([&](ClientHello& h) { h.handshake_length = whole + 1; }), State::malformed);
  EXPECT_EQ(broken([](ClientHello& h) { h.handshake_length = 0xFFFFFF; }), State::malformed);
  EXPECT_EQ(broken([](ClientHello& h) { h.handshake_length = 33; }), State::malformed);
  EXPECT_EQ(broken([](ClientHello& h) { h.session_id_length = 255; }), State::malformed);
  EXPECT_EQ(broken([](ClientHello& h) { h.cipher_suites_length = 0xFFFF; }), State::malformed);
  EXPECT_EQ(broken([](ClientHello& h) { h.compression_length = 255; }), State::malformed);
  EXPECT_EQ(broken([](ClientHello& h) { h.extensions_length = 25; }), State::malformed);
  EXPECT_EQ(broken([](ClientHello& h) { h.extensions_length = 0xFFFF; }), State::malformed);
  EXPECT_EQ(broken([](ClientHello& h) { h.extensions->front().length = 21; }), State::malformed);
  EXPECT_EQ(broken([](ClientHello& h) {
              h.extensions->front() = server_name_extension({{"www.example.com"}}, 19);
            }),
            State::malformed);
  EXPECT_EQ(broken([](ClientHello& h) {
              h.extensions->front() = server_name_extension({{"www.example.com", 0, 16}});
            }),
            State::malformed);
}

TEST(ClientHello, SNI_5_an_overrun_behind_the_deciding_name_is_malformed_too) {
  EXPECT_EQ(state(with_names({{"a.example.com"}, {"b.example.com", 0, 99}}).bytes()),
            State::malformed);
  EXPECT_EQ(state(with_extensions({server_name_extension({{"a.example.com"}}),
                                   {43, std::string("\2\3\4", 3), 4}})
                      .bytes()),
            State::malformed);
}

TEST(ClientHello, SNI_5_without_extensions_there_is_no_name) {
  ClientHello hello;
  hello.extensions.reset();
  EXPECT_EQ(name(hello), "");
  hello.extensions.emplace();
  EXPECT_EQ(name(hello), "");
  hello.message_tail = "\x01";  // half of a length
  hello.extensions.reset();
  EXPECT_EQ(state(hello.bytes()), State::malformed);
}

TEST(ClientHello, SNI_5_a_server_name_extension_without_a_list_is_malformed) {
  EXPECT_EQ(state(with_extensions({{0, ""}}).bytes()), State::malformed);
  EXPECT_EQ(state(with_extensions({{0, std::string(1, '\0')}}).bytes()), State::malformed);
  EXPECT_EQ(name(with_extensions({{0, std::string(2, '\0')}})), "");
}

TEST(ClientHello, SNI_5_the_first_server_name_extension_decides) {
  EXPECT_EQ(name(with_extensions({test::grease_extension(),
                                  server_name_extension({{"first.example.com"}}),
                                  server_name_extension({{"second.example.com"}})})),
            "first.example.com");
  EXPECT_EQ(name(with_extensions(
                {server_name_extension({}), server_name_extension({{"second.example.com"}})})),
            "");
}

TEST(ClientHello, SNI_5_its_first_non_empty_host_name_decides) {
  EXPECT_EQ(name(with_names({{""}, {"other", 7}, {"a.example.com"}, {"b.example.com"}})),
            "a.example.com");
  EXPECT_EQ(name(with_names({{""}})), "");
  EXPECT_EQ(name(with_names({{"only.other.types", 1}})), "");
  EXPECT_EQ(name(with_names({{"."}, {"b.example.com"}})), "");
}

TEST(ClientHello, SNI_5_a_host_name_must_be_utf_8) {
  EXPECT_EQ(state(with_names({{"b\xFC"
                               "cher.example"}})
                      .bytes()),
            State::malformed);
  EXPECT_EQ(state(with_names({{"a\xED\xA0\x80.example"}}).bytes()), State::malformed);
  EXPECT_EQ(name(with_names({{"B\xC3\xBC"
                              "cher.Example"}})),
            "b\xC3\xBC"
            "cher.example");
  // Only the deciding entry is looked at.
  EXPECT_EQ(name(with_names({{"\xFF", 9}, {"a.b"}, {"\xFF"}})), "a.b");
}

TEST(ClientHello, SNI_5_a_name_is_trimmed_and_in_lower_case) {
  EXPECT_EQ(name(with_names({{" \t\r\n\v\fWWW.Example.COM... \n"}})), "www.example.com");
  EXPECT_EQ(name(with_names({{"www.example.com."}})), "www.example.com");
  EXPECT_EQ(name(with_names({{"www.example.com. . "}})), "www.example.com");
  EXPECT_EQ(name(with_names({{".leading.example.com"}})), ".leading.example.com");
  EXPECT_EQ(name(with_names({{"in side.example"}})), "in side.example");
  EXPECT_EQ(name(with_names({{" .. "}})), "");
  EXPECT_EQ(name(with_names({{"   "}})), "");
}

TEST(ClientHello, SNI_5_no_single_byte_of_a_hello_can_be_changed_into_a_crash) {
  const std::string good = test::client_hello("www.example.com");
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (unsigned value = 0; value < 256; ++value) {
      std::string bad = good;
      bad[at] = static_cast<char>(value);
      const Hello hello = parse(bad);
      if (hello.state != State::valid) EXPECT_EQ(hello.server_name, "");
    }
  }
}

}  // namespace
}  // namespace portunus::dataplane::sni
