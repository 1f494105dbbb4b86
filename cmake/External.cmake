# Debian's packages as targets of one shape, all SYSTEM, so that their headers do not warn.

add_library(external_asio INTERFACE)
target_include_directories(external_asio SYSTEM INTERFACE ${Boost_INCLUDE_DIRS})
# One io_context per thread: nothing of Asio needs its deprecated interfaces.
target_compile_definitions(external_asio INTERFACE
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE BOOST_ASIO_NO_TS_EXECUTORS)
target_link_libraries(external_asio INTERFACE Threads::Threads)

add_library(external_beast INTERFACE)
target_link_libraries(external_beast INTERFACE external_asio)

add_library(external_sqlite INTERFACE)
find_path(SQLITECPP_INCLUDE SQLiteCpp/SQLiteCpp.h REQUIRED)
find_library(SQLITECPP_LIBRARY SQLiteCpp REQUIRED)
target_link_libraries(external_sqlite INTERFACE ${SQLITECPP_LIBRARY} SQLite::SQLite3)

add_library(external_argon2 INTERFACE)
find_path(ARGON2_INCLUDE argon2.h REQUIRED)
find_library(ARGON2_LIBRARY argon2 REQUIRED)
target_include_directories(external_argon2 SYSTEM INTERFACE ${ARGON2_INCLUDE})
target_link_libraries(external_argon2 INTERFACE ${ARGON2_LIBRARY})

add_library(external_prometheus INTERFACE)
target_link_libraries(external_prometheus INTERFACE prometheus-cpp::core)

add_library(external_cares INTERFACE)
find_path(CARES_INCLUDE ares.h REQUIRED)
find_library(CARES_LIBRARY cares REQUIRED)
target_include_directories(external_cares SYSTEM INTERFACE ${CARES_INCLUDE})
target_link_libraries(external_cares INTERFACE ${CARES_LIBRARY})

set(CURSES_NEED_NCURSES TRUE)
set(CURSES_NEED_WIDE TRUE)
find_package(Curses REQUIRED)
add_library(external_ncurses INTERFACE)
target_include_directories(external_ncurses SYSTEM INTERFACE ${CURSES_INCLUDE_DIRS})
target_link_libraries(external_ncurses INTERFACE ${CURSES_LIBRARIES})

# QUIC, only for the Portal. Debian 12 has a new enough ngtcp2 in its backports; without one the Portal
# is left out, and PORTUNUS_HAVE_PORTAL says so to whoever would build on it.
option(PORTUNUS_PORTAL "Build the Portal where ngtcp2 >= 1.11 is found" ON)
set(PORTUNUS_HAVE_PORTAL FALSE)
if(PORTUNUS_PORTAL)
  find_package(PkgConfig QUIET)
  if(PkgConfig_FOUND)
    pkg_check_modules(NGTCP2 QUIET IMPORTED_TARGET
      libngtcp2>=1.11 libngtcp2_crypto_gnutls>=1.11 gnutls>=3.7)
  endif()
  if(NGTCP2_FOUND)
    set(PORTUNUS_HAVE_PORTAL TRUE)
    add_library(external_ngtcp2 INTERFACE)
    target_include_directories(external_ngtcp2 SYSTEM INTERFACE ${NGTCP2_INCLUDE_DIRS})
    target_link_libraries(external_ngtcp2 INTERFACE PkgConfig::NGTCP2)
  else()
    message(STATUS "The Portal is left out: ngtcp2 >= 1.11 with its GnuTLS crypto library was not "
      "found (scripts/setup installs it from bookworm-backports)")
  endif()
else()
  message(STATUS "The Portal is left out: PORTUNUS_PORTAL is off")
endif()
