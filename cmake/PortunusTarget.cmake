# One function per kind of target; each knows our warnings, include root and layer table.

# portunus_library(<name> SOURCES … [PUBLIC_HEADERS …] [DEPS …] [EXTERNAL …] [PRIVATE_EXTERNAL …])
# Makes portunus_<name> from a folder. DEPS are our own libraries, checked against Layers.cmake;
# PUBLIC_HEADERS are what others may include (tests/lint/check_layers.py holds them to it);
# PRIVATE_EXTERNAL libraries do not reach the includers.
function(portunus_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC_HEADERS;DEPS;EXTERNAL;PRIVATE_EXTERNAL" ${ARGN})
  portunus_check_edges(${name} ${ARG_DEPS})
  set(target portunus_${name})
  if(ARG_SOURCES)
    add_library(${target} STATIC ${ARG_SOURCES})
    set(scope PUBLIC)
    target_link_libraries(${target} PRIVATE portunus_warnings ${ARG_PRIVATE_EXTERNAL})
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(${target} ${scope} "${CMAKE_SOURCE_DIR}/src")
  foreach(dep IN LISTS ARG_DEPS)
    target_link_libraries(${target} ${scope} portunus_${dep})
  endforeach()
  target_link_libraries(${target} ${scope} ${ARG_EXTERNAL})
  set_property(GLOBAL APPEND PROPERTY PORTUNUS_PUBLIC_HEADERS_${name} ${ARG_PUBLIC_HEADERS})
endfunction()

# portunus_program(<name> MAIN main.cpp DEPS …): nothing but main.cpp is outside the libraries.
function(portunus_program name)
  cmake_parse_arguments(ARG "" "MAIN" "DEPS" ${ARGN})
  add_executable(${name} ${ARG_MAIN})
  target_link_libraries(${name} PRIVATE portunus_warnings)
  foreach(dep IN LISTS ARG_DEPS)
    target_link_libraries(${name} PRIVATE portunus_${dep})
  endforeach()
endfunction()

# portunus_test(<folder_test> SOURCES … LIBS …): one GoogleTest program per folder.
function(portunus_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE portunus_warnings GTest::gmock GTest::gtest_main)
  target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}")
  foreach(lib IN LISTS ARG_LIBS)
    if(TARGET portunus_${lib})
      target_link_libraries(${name} PRIVATE portunus_${lib})
    else()
      target_link_libraries(${name} PRIVATE ${lib})
    endif()
  endforeach()
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  add_test(NAME ${name} COMMAND ${name})
  # The suppressions name functions, and only the compiler's own symbolizer reads its debug format.
  set(symbolizer "")
  if(PORTUNUS_SYMBOLIZER)
    set(symbolizer " external_symbolizer_path=${PORTUNUS_SYMBOLIZER}")
  endif()
  # Debian's libraries are built without ThreadSanitizer: what they do to memory on their own threads
  # says nothing, because the locks they take while doing it are invisible as well.
  set_tests_properties(${name} PROPERTIES TIMEOUT 300
    ENVIRONMENT "ASAN_OPTIONS=detect_stack_use_after_return=1;UBSAN_OPTIONS=print_stacktrace=1;TSAN_OPTIONS=halt_on_error=1 ignore_noninstrumented_modules=1 suppressions=${CMAKE_SOURCE_DIR}/tests/tsan.supp${symbolizer}")
endfunction()

# portunus_fuzz(<name> SOURCES … LIBS …): a libFuzzer program, only under the fuzz preset.
function(portunus_fuzz name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
  if(NOT PORTUNUS_FUZZ)
    return()
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  foreach(lib IN LISTS ARG_LIBS)
    target_link_libraries(${name} PRIVATE portunus_${lib})
  endforeach()
endfunction()
