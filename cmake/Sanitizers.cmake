# PORTUNUS_SANITIZER = "" | address (with undefined) | thread
set(PORTUNUS_SANITIZER "" CACHE STRING "address, thread or empty")
if(PORTUNUS_SANITIZER STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined)
  # The vptr check needs type information of libraries that Debian ships without it.
  add_compile_options(-fno-sanitize=vptr)
  add_link_options(-fsanitize=address,undefined)
elseif(PORTUNUS_SANITIZER STREQUAL "thread")
  add_compile_options(-fsanitize=thread)
  add_link_options(-fsanitize=thread)
elseif(NOT PORTUNUS_SANITIZER STREQUAL "")
  message(FATAL_ERROR "PORTUNUS_SANITIZER must be address, thread or empty")
endif()

# With a sanitizer's checks in it the code compiles more than twice as fast unoptimised, which saves
# far more than the tests then take longer.
if(NOT PORTUNUS_SANITIZER STREQUAL "" AND CMAKE_BUILD_TYPE STREQUAL "Debug")
  set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
endif()

# Coverage of all our code is what guides the fuzzer.
if(PORTUNUS_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
find_program(PORTUNUS_SYMBOLIZER llvm-symbolizer-19)
