#include "common/command_line/options.hpp"

#include <CLI/App.hpp>

namespace portunus::command_line {

CLI::Option* add_text(CLI::App& app, const std::string& name, const std::string& about,
                      std::optional<std::string>& into) {
  // Not an option bound to an optional: CLI11 makes an empty text nothing.
  return app
      .add_option_function<std::string>(
          name, [&into](const std::string& text) { into = text; }, about)
      ->type_name("TEXT");
}

CLI::Option* add_text(CLI::App& app, const std::string& name, const std::string& about,
                      std::string& into) {
  return app
      .add_option_function<std::string>(
          name, [&into](const std::string& text) { into = text; }, about)
      ->type_name("TEXT");
}

CLI::Option* add_switch(CLI::App& app, const std::string& name, const std::string& about,
                        bool& into) {
  return app.add_flag(name, into, about)->disable_flag_override();
}

}  // namespace portunus::command_line
