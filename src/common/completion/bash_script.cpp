#include "common/completion/command_tree.hpp"

// bash splits a line at "=" too, and gives the words in COMP_WORDS. The script walks them down the
// tree of commands, stepping over the values of flags, and offers what may stand at the cursor.

namespace portunus::completion {
namespace {

std::string names_of(const std::vector<Command>& commands) {
  std::string out;
  for (const Command& command : commands) out += (out.empty() ? "" : " ") + command.name;
  return out;
}

/// One command's part of the `at` function, and those below it.
std::string cases(const Command& command, const std::string& path) {
  const auto any = [](const Flag&) { return true; };
  const auto with_value = [](const Flag& flag) { return flag.takes_value; };
  const auto with_file = [](const Flag& flag) { return flag.value.file; };
  std::string operands;
  bool operand_files = false;
  for (const Value& operand : command.operands) {
    operands += (operands.empty() ? "" : " ") + joined(operand.words);
    operand_files = operand_files || operand.file;
  }
  std::string out = "    '" + path + "')\n";
  out += "      commands='" + names_of(command.commands) + "'\n";
  out += "      flags='" + joined_names(command.flags, any) + "'\n";
  out += "      takes='" + joined_names(command.flags, with_value) + "'\n";
  out += "      files='" + joined_names(command.flags, with_file) + "'\n";
  out += "      operands='" + operands + "'\n";
  for (const Flag& flag : command.flags) {
    if (flag.value.words.empty()) continue;
    for (const std::string& name : flag.names) {
      out += "      choices+=('" + name + "=" + joined(flag.value.words) + "')\n";
    }
  }
  out += "      ;;\n";
  for (const Command& child : command.commands) {
    out += cases(child, path.empty() ? child.name : path + " " + child.name);
  }
  return out;
}

constexpr const char* kWalk = R"(
  cur=${COMP_WORDS[COMP_CWORD]}
  (( COMP_CWORD > 0 )) && prev=${COMP_WORDS[COMP_CWORD-1]}
  if [[ $cur == '=' ]]; then
    cur=''
  elif [[ $prev == '=' ]] && (( COMP_CWORD > 1 )); then
    prev=${COMP_WORDS[COMP_CWORD-2]}
  fi
  @_at "$path"
  for (( i = 1; i < COMP_CWORD; i++ )); do
    word=${COMP_WORDS[i]}
    if [[ $word == '--' ]]; then
      return
    elif [[ " $takes " == *" $word "* ]]; then
      (( i++ ))
      [[ ${COMP_WORDS[i]} == '=' ]] && (( i++ ))
    elif [[ $word != -* && " $commands " == *" $word "* ]]; then
      path=${path:+$path }$word
      @_at "$path"
    fi
  done
  if [[ " $takes " == *" $prev "* ]]; then
    if [[ " $files " == *" $prev "* ]]; then
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      return
    fi
    for word in "${choices[@]}"; do
      [[ $word == "$prev="* ]] && mapfile -t COMPREPLY < <(compgen -W "${word#*=}" -- "$cur")
    done
    return
  fi
  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$cur")
  else
    mapfile -t COMPREPLY < <(compgen -W "$commands $operands" -- "$cur")
  fi
}
)";

std::string with_function(std::string text, const std::string& function) {
  for (std::size_t at = text.find('@'); at != std::string::npos; at = text.find('@', at)) {
    // "${choices[@]}" is the shell's own.
    if (at > 0 && text[at - 1] == '[') {
      ++at;
    } else {
      text.replace(at, 1, function);
      at += function.size();
    }
  }
  return text;
}

}  // namespace

std::string bash_script(const Command& program) {
  const std::string function = function_name(program.name);
  std::string out = "# bash completion of " + program.name + "; load it with: source <(" +
                    program.name + " completion bash)\n";
  out +=
      function + "_at() {\n  choices=()\n  case \"$1\" in\n" + cases(program, "") + "  esac\n}\n\n";
  out += function +
         "() {\n"
         "  local cur prev='' path='' word i commands flags takes files operands choices\n"
         "  COMPREPLY=()" +
         with_function(kWalk, function);
  out += "\ncomplete -F " + function + " " + program.name + "\n";
  return out;
}

}  // namespace portunus::completion
