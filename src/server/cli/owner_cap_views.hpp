#pragma once

#include <expected>
#include <iosfwd>
#include <string>

#include "server/cli/client_views.hpp"
#include "server/cli/json_fwd.hpp"

namespace portunus::server::cli {

// What the owner-cap commands print of the API's answers (cli-and-config 2.6). Nothing is printed
// of an answer that is of no use; the reason is returned.

std::expected<void, std::string> print_owners(std::ostream& out, const Json& owners, Format format);
std::expected<void, std::string> print_owner_caps(std::ostream& out, const Json& caps,
                                                  Format format);
/// The line after a change. Client and owner as typed.
std::expected<void, std::string> print_caps_set(std::ostream& out, const Json& answer,
                                                const std::string& client,
                                                const std::string& owner);

}  // namespace portunus::server::cli
