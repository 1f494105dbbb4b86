#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/assert.hpp"

namespace portunus::fuzz {

using Input = std::span<const std::byte>;
using Target = void (*)(Input);

/// The targets linked into this program, for the replay of their corpora.
struct Registered {
  std::string_view name;
  Target run;
};
std::vector<Registered>& registered_targets();

struct Registration {
  Registration(std::string_view name, Target run) { registered_targets().push_back({name, run}); }
};

inline std::string_view text_of(Input input) {
  return {reinterpret_cast<const char*>(input.data()), input.size()};
}

}  // namespace portunus::fuzz

/// What a target claims about its subject. Always checked, whatever the build.
#define FUZZ_CHECK(expression) PORTUNUS_ASSERT(expression)

/// Defines the fuzz target of its file: PORTUNUS_FUZZ_TARGET(name)(portunus::fuzz::Input input)
/// {…}. With libFuzzer it is the program's entry point; in fuzz_replay_test it runs over
/// tests/fuzz/corpus/<name>/.
#ifdef PORTUNUS_LIBFUZZER
#define PORTUNUS_FUZZ_TARGET(name)                                                    \
  static void run_target(::portunus::fuzz::Input);                                    \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) { \
    run_target(std::as_bytes(std::span(data, size)));                                 \
    return 0;                                                                         \
  }                                                                                   \
  static void run_target
#else
#define PORTUNUS_FUZZ_TARGET(name)                                              \
  static void run_target(::portunus::fuzz::Input);                              \
  static const ::portunus::fuzz::Registration registration(#name, &run_target); \
  static void run_target
#endif
