#include "common/command_line/program.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <ostream>
#include <utility>

#include "common/base/version.hpp"
#include "common/command_line/words.hpp"

namespace portunus::command_line {
namespace {

constexpr int kUsageError = 2;

/// `help` and `help enroll` are other spellings of `--help` and `enroll --help`; what else follows
/// `help` stays and is refused.
std::vector<std::string> without_help_command(std::vector<std::string> words, const CLI::App& app) {
  if (words.empty() || words.front() != "help") return words;
  if (words.size() == 1) return {"--help"};
  const auto named = [&](const CLI::App* command) { return command->get_name() == words[1]; };
  if (words.size() > 2 || app.get_subcommands(named).empty()) return words;
  return {words[1], "--help"};
}

bool any_given(const std::vector<const CLI::Option*>& flags) {
  return std::ranges::any_of(flags, [](const CLI::Option* flag) { return flag->count() > 0; });
}

}  // namespace

Program::Program(const std::string& name, const std::string& about)
    : app_(std::make_unique<CLI::App>(about, name)) {
  app_->set_help_flag("-h,--help", "Print this help");
  app_->set_version_flag("-V,--version", name + " " + std::string(kVersion));
}

Program::~Program() = default;

CLI::App& Program::add_command(const std::string& name, const std::string& about,
                               const std::string& examples) {
  CLI::App& command = *app_->add_subcommand(name, about);
  command.footer(examples);
  return command;
}

void Program::keep_from_commands(const std::string& owner, std::vector<const CLI::Option*> flags) {
  owner_ = owner;
  kept_ = std::move(flags);
}

void Program::finish(const std::string& topic, const std::string& notes) {
  const std::string& name = app_->get_name();
  completion_ = &add_command("completion", "Print what makes a shell complete this program's words",
                             "Example:\n  source <(" + name + " completion bash)");
  completion::add_shell_operand(*completion_, shell_);
  help_ =
      &add_command("help", "Print the help of a command", "Example:\n  " + name + " help " + topic);
  // Last, because a new subcommand takes its parent's over.
  app_->footer(notes);
}

void Program::read(std::vector<std::string> words) {
  app_->parse(for_parser(without_help_command(std::move(words), *app_)));
  if (!app_->get_subcommands().empty() && any_given(kept_)) {
    const std::string why = "the flags of the " + owner_ + " do not go with a command";
    throw CLI::ExtrasError(std::vector<std::string>{why});
  }
}

std::optional<int> Program::parse(int argc, const char* const* argv, std::ostream& out,
                                  std::ostream& err) {
  try {
    read(std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
  } catch (const CLI::CallForVersion& asked) {
    // Which falls through to the program from behind some commands, where it has no place.
    if (app_->get_subcommands().empty()) return app_->exit(asked, out, err);
    app_->exit(CLI::ExtrasError({"--version goes without a command"}), out, err);
    return kUsageError;
  } catch (const CLI::ParseError& error) {
    return app_->exit(error, out, err) == 0 ? 0 : kUsageError;
  }
  if (completion_->parsed()) {
    out << completion::script(*app_, shell_);
    return 0;
  }
  if (help_->parsed()) {
    // Behind global flags or "--"; asked for its help, the program would answer with that of this
    // command.
    out << app_->get_formatter()->make_help(app_.get(), app_->get_name(),
                                            CLI::AppFormatMode::Normal);
    return 0;
  }
  return std::nullopt;
}

}  // namespace portunus::command_line
