#include "common/command_line/words.hpp"

#include <algorithm>
#include <utility>

namespace portunus::command_line {

std::vector<std::string> for_parser(std::vector<std::string> words) {
  std::vector<std::string> out;
  bool flags = true;
  for (std::string& word : words) {
    flags = flags && word != "--";
    const std::size_t equals = word.find('=');
    if (flags && word.starts_with("--") && equals != std::string::npos) {
      out.push_back(word.substr(0, equals));
      out.push_back(word.substr(equals + 1));
    } else {
      out.push_back(std::move(word));
    }
  }
  std::ranges::reverse(out);
  return out;
}

}  // namespace portunus::command_line
