#include "common/completion/command_tree.hpp"

// One function per command, each a call of zsh's own _arguments.

namespace portunus::completion {
namespace {

/// Text inside '…' where _arguments gives brackets and colons a meaning.
std::string quoted(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
      continue;
    }
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string action(const Value& value) {
  if (value.file) return "_files";
  if (!value.words.empty()) return "(" + joined(value.words) + ")";
  return " ";
}

std::string value_spec(const Value& value) {
  return ":" + quoted(value.type.empty() ? "value" : value.type) + ":" + action(value);
}

/// A line of _arguments for each name of a flag; each excludes the others.
std::string flag_lines(const Flag& flag) {
  std::string out;
  for (const std::string& name : flag.names) {
    // A long flag takes "--flag value" and "--flag=value".
    const bool both = flag.takes_value && name.starts_with("--");
    out += "    '(" + joined(flag.names) + ")" + name + (both ? "=" : "") + "[" +
           quoted(flag.about) + "]" + (flag.takes_value ? value_spec(flag.value) : "") + "' \\\n";
  }
  return out;
}

std::string functions(const Command& command, const std::string& function) {
  std::string out;
  for (const Command& child : command.commands) {
    out += functions(child, function + function_name(child.name));
  }
  out += function + "() {\n  local curcontext=$curcontext state line\n  _arguments -C \\\n";
  for (const Flag& flag : command.flags) out += flag_lines(flag);
  if (command.commands.empty()) {
    for (const Value& operand : command.operands) out += "    '" + value_spec(operand) + "' \\\n";
    return out + "    && return 0\n}\n\n";
  }
  out += "    ': :->command' \\\n    '*:: :->rest' && return 0\n";
  out += "  case $state in\n    command)\n      local -a commands=(\n";
  for (const Command& child : command.commands) {
    out += "        '" + quoted(child.name) + ":" + quoted(child.about) + "'\n";
  }
  out +=
      "      )\n      _describe command commands\n      ;;\n    rest)\n      case $words[1] in\n";
  for (const Command& child : command.commands) {
    out += "        " + child.name + ") " + function + function_name(child.name) + " ;;\n";
  }
  return out + "      esac\n      ;;\n  esac\n}\n\n";
}

}  // namespace

std::string zsh_script(const Command& program) {
  const std::string function = function_name(program.name);
  // Read by compinit as a file of the fpath, where its text is the function, or by source.
  return "#compdef " + program.name + "\n# zsh completion of " + program.name +
         "; load it with: source <(" + program.name + " completion zsh)\n\n" +
         functions(program, function) + "if [ \"$funcstack[1]\" = \"" + function +
         "\" ]; then\n  " + function + " \"$@\"\nelse\n  compdef " + function + " " + program.name +
         "\nfi\n";
}

}  // namespace portunus::completion
