// The ClientHello parser: bytes of anybody who connects to a port in SNI mode.

#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "common/model/rule.hpp"
#include "dataplane/sni/client_hello.hpp"
#include "dataplane/sni/route_table.hpp"
#include "tests/fuzz/fuzz_target.hpp"
#include "tests/support/client_hello.hpp"

namespace {

using portunus::dataplane::sni::Hello;
using portunus::dataplane::sni::parse_client_hello;
using portunus::dataplane::sni::RouteTable;
using portunus::fuzz::Input;
using State = Hello::State;

bool same(const Hello& a, const Hello& b) {
  return a.state == b.state && a.server_name == b.server_name;
}

void check_name(const std::string& name) {
  FUZZ_CHECK(std::ranges::none_of(name, [](char c) { return c >= 'A' && c <= 'Z'; }));
  if (name.empty()) return;
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  FUZZ_CHECK(!kSpace.contains(name.front()) && !kSpace.contains(name.back()));
  FUZZ_CHECK(name.back() != '.');
  // A name that could stand in a rule finds this rule, and no other one before it.
  const auto pattern = portunus::model::parse_sni_pattern(name);
  if (!pattern || pattern->starts_with("*.")) return;
  FUZZ_CHECK(*pattern == name);
  const std::array<std::optional<std::string>, 3> members{std::nullopt, "*.example.com", *pattern};
  const auto table = RouteTable::build(members);
  FUZZ_CHECK(table);
  const auto match = table->find(name);
  FUZZ_CHECK(match && match->member == 2 && match->kind == RouteTable::Kind::exact);
}

/// Once the parser has made up its mind, further bytes never change it: the peek stops there.
void check_raw(Input input) {
  const Hello whole = parse_client_hello(input);
  FUZZ_CHECK(whole.state == State::valid || whole.server_name.empty());
  check_name(whole.server_name);
  const std::size_t step = input.size() / 32 + 1;
  for (std::size_t size = 0; size < input.size(); size += step) {
    const Hello part = parse_client_hello(input.first(size));
    FUZZ_CHECK(part.state == State::incomplete || same(part, whole));
  }
}

/// A hello that is made to the letter is read to the letter.
void check_built(Input input) {
  FuzzedDataProvider data(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  portunus::test::ClientHello hello;
  hello.minor = data.ConsumeIntegral<std::uint8_t>();
  hello.session_id = data.ConsumeRandomLengthString(32);
  hello.cipher_suites = data.ConsumeRandomLengthString(64);
  if (hello.cipher_suites.size() % 2 != 0) hello.cipher_suites.pop_back();
  const std::size_t before = data.ConsumeIntegralInRange<std::size_t>(0, 3);
  for (std::size_t i = 0; i < before; ++i) {
    const auto type = data.ConsumeIntegralInRange<std::uint16_t>(1, 0xFFFF);
    hello.extensions->push_back({type, data.ConsumeRandomLengthString(40)});
  }
  std::string name = data.ConsumeRandomLengthString(60);
  std::erase_if(name, [](char c) { return c < 'a' || c > 'z'; });
  if (!name.empty()) {
    hello.extensions->push_back(portunus::test::server_name_extension({{name + ".test"}}));
  }
  const std::string bytes = hello.bytes();
  const Hello got = parse_client_hello(portunus::test::byte_span(bytes));
  FUZZ_CHECK(got.state == State::valid);
  FUZZ_CHECK(got.server_name == (name.empty() ? "" : name + ".test"));
}

}  // namespace

PORTUNUS_FUZZ_TARGET(client_hello)(Input input) {
  check_raw(input);
  check_built(input);
}
