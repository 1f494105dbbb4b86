#include "common/model/client_version.hpp"

#include <charconv>

namespace portunus::model {
namespace {

/// Takes the part before the next dot off `rest`.
std::uint32_t take_part(std::string_view& rest) {
  const std::size_t dot = rest.find('.');
  const std::string_view part = rest.substr(0, dot);
  rest = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
  std::uint32_t value = 0;
  const auto [end, ec] = std::from_chars(part.data(), part.data() + part.size(), value);
  return ec == std::errc() && end == part.data() + part.size() ? value : 0;
}

}  // namespace

ClientVersion parse_client_version(std::string_view text) {
  std::string_view rest = text.substr(0, text.find_first_of("-+"));
  const std::uint32_t major = take_part(rest);
  return {major, take_part(rest)};
}

bool supports(std::string_view announced, ClientVersion needed) {
  return !announced.empty() && parse_client_version(announced) >= needed;
}

}  // namespace portunus::model
