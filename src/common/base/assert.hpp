#pragma once

namespace portunus {

/// Prints the broken invariant to stderr and aborts.
[[noreturn]] void assert_failed(const char* expression, const char* file, int line);

}  // namespace portunus

/// For invariants of our own code, never for values that a peer, a file or an operator supplied.
#define PORTUNUS_ASSERT(expression) \
  ((expression) ? (void)0 : ::portunus::assert_failed(#expression, __FILE__, __LINE__))

/// As PORTUNUS_ASSERT, for checks too costly for a release build.
#ifdef NDEBUG
#define PORTUNUS_DCHECK(expression) ((void)0)
#else
#define PORTUNUS_DCHECK(expression) PORTUNUS_ASSERT(expression)
#endif
