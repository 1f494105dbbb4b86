#pragma once

#include <cstdint>
#include <optional>

namespace portunus::test {

/// One condition on a system call's argument.
struct Argument {
  unsigned index;
  std::uint32_t value;
};

/// From now on the kernel answers this call of this process, and of the threads it starts later,
/// with `error`. For a child process only: it cannot be undone.
void deny_call(long number, int error, std::optional<Argument> first = std::nullopt,
               std::optional<Argument> second = std::nullopt);

}  // namespace portunus::test
