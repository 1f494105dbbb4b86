#include "common/completion/command_tree.hpp"

#include <CLI/App.hpp>
#include <algorithm>
#include <cctype>

namespace portunus::completion {
namespace {

Value describe_value(std::string type) {
  std::erase_if(type, [](char c) { return c == '<' || c == '>'; });
  Value value;
  value.type = type;
  value.file = type == "PATH" || type == "path";
  if (type.find('|') == std::string::npos) return value;
  for (std::size_t start = 0; start <= type.size();) {
    const std::size_t end = std::min(type.find('|', start), type.size());
    value.words.push_back(type.substr(start, end - start));
    start = end + 1;
  }
  return value;
}

void add_options(const CLI::App& app, Command& into) {
  for (const CLI::Option* option : app.get_options()) {
    if (!option->nonpositional()) {
      into.operands.push_back(describe_value(option->get_type_name()));
      continue;
    }
    Flag flag;
    for (const std::string& name : option->get_snames()) flag.names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) flag.names.push_back("--" + name);
    flag.about = option->get_description();
    flag.takes_value = option->get_items_expected_max() > 0;
    if (flag.takes_value) flag.value = describe_value(option->get_type_name());
    into.flags.push_back(std::move(flag));
  }
}

Command describe_command(const CLI::App& app) {
  Command command{app.get_name(), app.get_description(), {}, {}, {}};
  add_options(app, command);
  for (const CLI::App* child : app.get_subcommands(std::function<bool(const CLI::App*)>())) {
    Command described = describe_command(*child);
    if (child->get_fallthrough()) {
      const std::vector<Flag>& own = described.flags;
      for (const Flag& flag : command.flags) {
        const bool known =
            std::ranges::any_of(own, [&](const Flag& f) { return f.names == flag.names; });
        if (!known) described.flags.push_back(flag);
      }
    }
    command.commands.push_back(std::move(described));
  }
  return command;
}

}  // namespace

Command describe(const CLI::App& root) {
  Command program = describe_command(root);
  Value topics{"command", false, {}};
  for (const Command& command : program.commands) topics.words.push_back(command.name);
  for (Command& command : program.commands) {
    if (command.name == "help") command.operands = {topics};
  }
  return program;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

std::string function_name(const std::string& name) {
  std::string out = "_";
  for (const char c : name) {
    out += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  }
  return out;
}

}  // namespace portunus::completion
