#pragma once

#include <cstdint>
#include <string_view>

namespace portunus::server::cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitAlreadyExists = 2;
inline constexpr int kExitInvalid = 3;
inline constexpr int kExitPortInUse = 5;
// Of backup, restore and reset (cli-and-config 2.2).
inline constexpr int kExitSourceMissing = 5;
inline constexpr int kExitDestinationExists = 6;
inline constexpr int kExitNotSqlite = 7;
inline constexpr int kExitNotFound = 8;
inline constexpr int kExitMigrationFailed = 70;
inline constexpr int kExitStoreInUse = 75;
inline constexpr int kExitSchemaTooNew = 78;

/// Commands that give a code the same exit (cli-and-config 2.5).
enum class CommandGroup : std::uint8_t { rule, client, owner_cap, people };

/// The exit of an error code of the API or of the domain; 1 for a code the group does not list.
int exit_code(CommandGroup group, std::string_view code);

}  // namespace portunus::server::cli
