# Precompiled headers: what most translation units spend their compile time on. One for code that
# uses Asio, one for tests. A source still includes all it uses; the dev preset builds without
# precompiled headers and so finds what is missing.

function(portunus_precompiled name)
  cmake_parse_arguments(ARG "" "" "HEADERS;LIBS" ${ARGN})
  # A target whose headers others reuse needs a source of its own.
  file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/precompiled/${name}.cpp" CONTENT "")
  add_library(${name} OBJECT "${CMAKE_BINARY_DIR}/precompiled/${name}.cpp")
  target_link_libraries(${name} PRIVATE portunus_warnings ${ARG_LIBS})
  target_precompile_headers(${name} PRIVATE ${ARG_HEADERS})
endfunction()

set(PORTUNUS_STD_HEADERS
  <algorithm> <array> <atomic> <chrono> <cstdint> <expected> <filesystem> <functional> <map>
  <memory> <mutex> <optional> <random> <set> <span> <string> <string_view> <system_error> <thread>
  <unordered_map> <utility> <variant> <vector>)
set(PORTUNUS_ASIO_HEADERS
  <boost/asio/any_io_executor.hpp> <boost/asio/awaitable.hpp> <boost/asio/co_spawn.hpp>
  <boost/asio/detached.hpp> <boost/asio/io_context.hpp> <boost/asio/ip/tcp.hpp>
  <boost/asio/post.hpp> <boost/asio/steady_timer.hpp> <boost/asio/this_coro.hpp>
  <boost/asio/use_awaitable.hpp> <boost/asio/use_future.hpp>)

portunus_precompiled(portunus_asio_pch
  HEADERS ${PORTUNUS_STD_HEADERS} ${PORTUNUS_ASIO_HEADERS} LIBS external_asio)
if(PORTUNUS_TESTS)
  portunus_precompiled(portunus_test_pch
    HEADERS ${PORTUNUS_STD_HEADERS} ${PORTUNUS_ASIO_HEADERS} <gmock/gmock.h> <gtest/gtest.h>
    LIBS external_asio GTest::gmock)
  # Tests are programs, so their code is position independent in another way than a library's.
  set_target_properties(portunus_test_pch PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(portunus_test_pch PRIVATE -fPIE)
endif()
