// What a port in SNI mode adds to a connection in user space: reading the name out of a
// ClientHello, and finding the member for it among many. Prints nanoseconds per operation, the
// median of rounds.
//
//   dataplane_sni_bench [members] [milliseconds per round]

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/sni/client_hello.hpp"
#include "dataplane/sni/route_table.hpp"
#include "tests/support/client_hello.hpp"

namespace {

namespace sni = portunus::dataplane::sni;
namespace test = portunus::test;
using Clock = std::chrono::steady_clock;

/// As browsers send it: a dozen extensions, the name not the first, `size` bytes in all.
std::string browser_hello(std::size_t size) {
  test::ClientHello hello;
  hello.cipher_suites = std::string(32, '\x13');
  hello.extensions = {test::grease_extension(),
                      {23, ""},
                      {0xFF01, std::string(1, '\0')},
                      {10, std::string(10, 'g')},
                      {11, std::string(2, 'p')},
                      {35, ""},
                      {16, std::string("\0\x0C\2h2\x08http/1.1", 14)},
                      {13, std::string(18, 'a')},
                      {43, std::string(7, 'v')},
                      test::server_name_extension({{"n500.customers.example.com"}}),
                      {51, std::string(43, 'k')}};
  const std::size_t now = hello.bytes().size() + 4;
  if (size > now) hello.extensions->push_back(test::padding_extension(size - now));
  return hello.bytes();
}

template <class Operation>
void measure(const char* what, std::chrono::milliseconds round, Operation operation) {
  std::array<double, 7> rounds;
  for (double& nanos : rounds) {
    std::size_t done = 0;
    const auto begin = Clock::now();
    auto end = begin;
    for (; end - begin < round; end = Clock::now()) {
      for (int i = 0; i < 1000; ++i) operation();
      done += 1000;
    }
    nanos =
        std::chrono::duration<double, std::nano>(end - begin).count() / static_cast<double>(done);
  }
  std::ranges::nth_element(rounds, rounds.begin() + rounds.size() / 2);
  std::printf("%-28s %8.1f ns\n", what, rounds[rounds.size() / 2]);
}

}  // namespace

int main(int argc, char** argv) {
  const int members = argc > 1 ? std::atoi(argv[1]) : 1000;
  const std::chrono::milliseconds round(argc > 2 ? std::atoi(argv[2]) : 100);

  for (const std::size_t size : {517UL, 1800UL, 16000UL}) {
    const std::string hello = browser_hello(size);
    measure(("parse, " + std::to_string(hello.size()) + " bytes").c_str(), round, [&] {
      if (sni::parse_client_hello(test::byte_span(hello)).server_name.empty()) std::abort();
    });
  }

  std::vector<std::optional<std::string>> patterns{std::nullopt};
  for (int i = 0; i < members; ++i) {
    patterns.emplace_back("n" + std::to_string(i) + ".customers.example.com");
    patterns.emplace_back("*.w" + std::to_string(i) + ".customers.example.com");
  }
  const auto table = sni::RouteTable::build(patterns);
  if (!table) return 1;
  for (const auto& [what, name] : {std::pair{"find, exact", "n500.customers.example.com"},
                                   std::pair{"find, wildcard", "any.w500.customers.example.com"},
                                   std::pair{"find, fallback", "unknown.customers.example.com"}}) {
    measure(what, round, [&, text = std::string_view(name)] {
      if (!table->find(text)) std::abort();
    });
  }
}
