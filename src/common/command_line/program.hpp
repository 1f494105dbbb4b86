#pragma once

#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/completion/completion.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace portunus::command_line {

/// The command line of a program that runs without a command and has a few beside that
/// (cli-and-config 1): -h, -V, `help` and `completion` are its own, the rest is added to app().
class Program {
 public:
  Program(const std::string& name, const std::string& about);
  ~Program();

  CLI::App& app() { return *app_; }
  CLI::App& add_command(const std::string& name, const std::string& about,
                        const std::string& examples);
  /// Flags of what runs without a command ("agent"): with a command they are a usage error.
  void keep_from_commands(const std::string& owner, std::vector<const CLI::Option*> flags);
  /// To be called last. `topic` is the command that the example of `help` asks for, `notes` end the
  /// program's own help.
  void finish(const std::string& topic, const std::string& notes);

  /// Nothing when there is something to run, else the exit code: help, version or completion was
  /// printed to `out` (0), or the usage was wrong, which is told to `err` (2).
  std::optional<int> parse(int argc, const char* const* argv, std::ostream& out, std::ostream& err);

 private:
  void read(std::vector<std::string> words);

  std::unique_ptr<CLI::App> app_;
  CLI::App* completion_ = nullptr;
  CLI::App* help_ = nullptr;
  completion::Shell shell_ = completion::Shell::bash;
  std::string owner_;
  std::vector<const CLI::Option*> kept_;
};

}  // namespace portunus::command_line
