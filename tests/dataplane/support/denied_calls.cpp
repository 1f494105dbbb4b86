#include "tests/dataplane/support/denied_calls.hpp"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

namespace portunus::test {

void deny_call(long number, int error, std::optional<Argument> first,
               std::optional<Argument> second) {
  std::vector<sock_filter> program;
  const auto require = [&](std::uint32_t offset, std::uint32_t value) {
    program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  };
  require(offsetof(seccomp_data, nr), static_cast<std::uint32_t>(number));
  for (const auto& argument : {first, second}) {
    if (!argument) continue;
    const std::size_t low_word = offsetof(seccomp_data, args) + argument->index * 8;
    require(static_cast<std::uint32_t>(low_word), argument->value);
  }
  const auto deny = SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error);
  program.push_back(BPF_STMT(BPF_RET | BPF_K, deny));
  sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
    std::perror("seccomp");
    std::_Exit(3);
  }
}

}  // namespace portunus::test
