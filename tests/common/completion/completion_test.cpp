#include "common/completion/completion.hpp"

#include <gtest/gtest.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace portunus::completion {
namespace {

class CompletionTest : public testing::Test {
 protected:
  CompletionTest() {
    root_.set_help_flag("-h,--help", "Show this help");
    root_.add_option("--config", text_, "Where it's: [here]")->type_name("<path>");
    CLI::App& group = *root_.add_subcommand("group", "A group");
    CLI::App& leaf = *group.add_subcommand("leaf", "Its leaf");
    leaf.add_option("--format", text_, "Form")->type_name("text|json");
    leaf.add_flag("--quick", flag_, "Fast");
    CLI::App& open = *root_.add_subcommand("open", "Falls through");
    open.fallthrough();
    open.add_option("what", text_, "The thing")->type_name("PATH");
    root_.add_subcommand("help", "Help");
  }
  bool has(Shell shell, std::string_view part) const {
    return script(root_, shell).find(part) != std::string::npos;
  }

  CLI::App root_{"Program", "my-program"};
  std::string text_;
  bool flag_ = false;
};

TEST_F(CompletionTest, bash_knows_every_command_and_flag) {
  EXPECT_TRUE(has(Shell::bash,
                  "    '')\n      commands='group open help'\n"
                  "      flags='-h --help --config'\n      takes='--config'\n"
                  "      files='--config'\n"));
  EXPECT_TRUE(has(Shell::bash,
                  "    'group leaf')\n      commands=''\n"
                  "      flags='-h --help --format --quick'\n"
                  "      takes='--format'\n      files=''\n      operands=''\n"
                  "      choices+=('--format=text json')\n"));
  EXPECT_TRUE(has(Shell::bash, "complete -F _my_program my-program\n"));
  EXPECT_TRUE(has(Shell::bash, "_my_program_at \"$path\""));
}

TEST_F(CompletionTest, flags_that_fall_through_are_offered) {
  EXPECT_TRUE(
      has(Shell::bash, "    'open')\n      commands=''\n      flags='-h --help --config'\n"));
}

TEST_F(CompletionTest, help_takes_a_command) {
  EXPECT_TRUE(has(Shell::bash, "    'help')\n"));
  EXPECT_TRUE(has(Shell::bash, "      operands='group open help'\n"));
}

TEST_F(CompletionTest, zsh_knows_every_command_and_flag) {
  EXPECT_TRUE(script(root_, Shell::zsh).starts_with("#compdef my-program\n"));
  EXPECT_TRUE(has(Shell::zsh, "'(--config)--config=[Where it'\\''s\\: \\[here\\]]:path:_files'"));
  EXPECT_TRUE(has(Shell::zsh, "'(-h --help)-h[Show this help]'"));
  EXPECT_TRUE(has(Shell::zsh, "'(--format)--format=[Form]:text|json:(text json)'"));
  EXPECT_TRUE(has(Shell::zsh, "_my_program_group_leaf() {"));
  EXPECT_TRUE(has(Shell::zsh, "leaf) _my_program_group_leaf ;;"));
  EXPECT_TRUE(has(Shell::zsh, "':PATH:_files'"));
}

TEST(ShellOperand, is_bash_or_zsh) {
  for (const auto& [text, expected] :
       {std::pair<std::string, Shell>{"bash", Shell::bash}, {"zsh", Shell::zsh}}) {
    CLI::App app;
    auto shell = Shell::bash;
    add_shell_operand(app, shell);
    app.parse(std::vector<std::string>{text});
    EXPECT_EQ(shell, expected);
  }
  CLI::App app;
  auto shell = Shell::bash;
  add_shell_operand(app, shell);
  EXPECT_THROW(app.parse(std::vector<std::string>{"fish"}), CLI::ValidationError);
  EXPECT_THROW(app.parse(std::vector<std::string>{}), CLI::RequiredError);
}

}  // namespace
}  // namespace portunus::completion
