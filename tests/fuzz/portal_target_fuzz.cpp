// Targets: what the frames take, and what of that can be dialled.

#include <string>
#include <string_view>

#include "common/base/utf8.hpp"
#include "portal/protocol/target.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace protocol = portunus::portal::protocol;

PORTUNUS_FUZZ_TARGET(portal_target)(portunus::fuzz::Input input) {
  const std::string_view text = portunus::fuzz::text_of(input);
  const bool good = protocol::check_target(text).has_value();
  if (good) {
    FUZZ_CHECK(!text.empty() && text.size() <= protocol::kMaxTarget && portunus::is_utf8(text));
    FUZZ_CHECK(text.contains(':') && (text.back() != ':' || text.front() == '['));
  }
  const auto dial = protocol::parse_dial_target(text);
  if (!dial) return;
  FUZZ_CHECK(good);
  FUZZ_CHECK(dial->address.has_value() == dial->name.empty());
  if (dial->address) FUZZ_CHECK(text.front() == '[' || !dial->address->is_v6());
  // Written out again it means the same.
  const std::string host = !dial->address           ? dial->name
                           : dial->address->is_v6() ? "[" + dial->address->text() + "]"
                                                    : dial->address->text();
  const auto again = protocol::parse_dial_target(host + ":" + std::to_string(dial->port));
  FUZZ_CHECK(again.has_value() && again->name == dial->name && again->address == dial->address &&
             again->port == dial->port);
}
