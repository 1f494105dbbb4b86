// Portal URLs: whatever is typed, effective values are within their rules and the key does not
// show.

#include <string>
#include <string_view>

#include "common/base/utf8.hpp"
#include "portal/config/portal_config.hpp"
#include "portal/config/portal_url.hpp"
#include "portal/config/start_line.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace {

namespace config = portunus::portal::config;

void check_config(const config::PortalConfig& made) {
  const std::string& key = made.key.reveal();
  FUZZ_CHECK(!key.empty() && key.size() <= 255 && portunus::is_utf8(key));
  for (const std::string& text : {made.spec, made.alpn}) {
    FUZZ_CHECK(!text.empty() && text.size() <= 255 && portunus::is_utf8(text));
  }
  FUZZ_CHECK(made.wants_tcp() || made.wants_udp());
  FUZZ_CHECK(made.rate_mbps <= 0x7fffffff && made.etar_mbps <= 0x7fffffff);
  FUZZ_CHECK(made.tls == config::TlsMode::pem_files || made.certificate_path.empty());
  const std::string line = config::start_line(made);
  FUZZ_CHECK(line.starts_with("portal::run: starting: portal://"));
  for (const char c : line) {
    FUZZ_CHECK(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  }
}

}  // namespace

PORTUNUS_FUZZ_TARGET(portal_url)(portunus::fuzz::Input input) {
  const std::string_view text = portunus::fuzz::text_of(input);
  FUZZ_CHECK(config::percent_decode(text).size() <= text.size());
  FUZZ_CHECK(portunus::is_utf8(config::form_decode(text)));
  const auto url = config::PortalUrl::parse(text);
  if (!url) {
    FUZZ_CHECK(!url.error().text().empty());
    return;
  }
  (void)config::log_level(*url);
  if (const auto made = config::read_portal_config(*url)) check_config(*made);
}
