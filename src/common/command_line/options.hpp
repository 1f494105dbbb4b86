#pragma once

#include <optional>
#include <string>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace portunus::command_line {

/// --flag TEXT, or a positional (a name without dashes). The text may be empty: it counts as given.
CLI::Option* add_text(CLI::App& app, const std::string& name, const std::string& about,
                      std::optional<std::string>& into);
CLI::Option* add_text(CLI::App& app, const std::string& name, const std::string& about,
                      std::string& into);

/// --flag without a value.
CLI::Option* add_switch(CLI::App& app, const std::string& name, const std::string& about,
                        bool& into);

}  // namespace portunus::command_line
