#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace portunus::completion {

/// What may be typed for a value.
struct Value {
  std::string type;  ///< as the help shows it; empty for nothing
  bool file = false;
  std::vector<std::string> words;  ///< all there are; empty when it may be anything
};

struct Flag {
  std::vector<std::string> names;  ///< with their dashes
  std::string about;
  bool takes_value = false;
  Value value;
};

/// One command of a program, or the program itself.
struct Command {
  std::string name;
  std::string about;
  std::vector<Flag> flags;
  std::vector<Value> operands;
  std::vector<Command> commands;
};

/// The description as plain data. The operand of `help` is one of its neighbours.
Command describe(const CLI::App& root);

/// Names of flags, those of all flags that `pick` accepts, with a space between.
template <class Pick>
std::string joined_names(const std::vector<Flag>& flags, Pick pick) {
  std::string out;
  for (const Flag& flag : flags) {
    if (!pick(flag)) continue;
    for (const std::string& name : flag.names) out += (out.empty() ? "" : " ") + name;
  }
  return out;
}

std::string joined(const std::vector<std::string>& words);
/// "portunus-server" as part of a function's name.
std::string function_name(const std::string& name);

std::string bash_script(const Command& program);
std::string zsh_script(const Command& program);

}  // namespace portunus::completion
