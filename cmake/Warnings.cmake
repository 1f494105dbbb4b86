# Warnings for our own code; third-party and generated headers come in as SYSTEM.
add_library(portunus_warnings INTERFACE)
target_compile_options(portunus_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough
  -Werror)
