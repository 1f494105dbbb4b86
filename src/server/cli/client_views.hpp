#pragma once

#include <cstdint>
#include <expected>
#include <iosfwd>
#include <string>

#include "common/base/clock.hpp"
#include "server/cli/json_fwd.hpp"

namespace portunus::server::cli {

enum class Format : std::uint8_t { text, json };

/// What `enroll-client` prints, from the store or from the API.
struct IssuedCode {
  std::string client_name;
  SystemTime expires_at;
  std::string uri;
};

/// The API's answer (http-api 7.2), or why it is of no use. A URI that is not made of the
/// characters of one is refused, because the operator pastes it into a shell.
std::expected<IssuedCode, std::string> issued_code(const Json& answer);
/// Three lines (cli-and-config 2.4); the last holds the code.
void print_issued_code(std::ostream& out, const IssuedCode& issued);

/// `rename-client` from a client object (http-api 7.1); why not, if it is none. Two lines.
std::expected<void, std::string> print_renamed(std::ostream& out, const Json& client);

/// `list-clients` from an array of client objects (http-api 7.1); why not, if it is none. Prints
/// all or nothing.
std::expected<void, std::string> print_clients(std::ostream& out, const Json& clients,
                                               Format format);

}  // namespace portunus::server::cli
