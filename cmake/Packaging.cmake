# What `cmake --install` and `make package` put where: one component and one Debian package per
# program. packaging/README.md has the whole layout.
include(GNUInstallDirs)

# portunus_install(<component> [COMPLETION] DOCS <under docs/>… EXAMPLES <under packaging/examples/>…)
function(portunus_install component)
  cmake_parse_arguments(ARG "COMPLETION" "" "DOCS;EXAMPLES" ${ARGN})
  set(name portunus-${component})
  set(systemd "${CMAKE_SOURCE_DIR}/packaging/systemd")
  set(doc "${CMAKE_INSTALL_DATAROOTDIR}/doc/${name}")

  install(TARGETS ${name} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT ${component})
  # systemd looks into these below /usr and below /usr/local.
  install(FILES "${systemd}/${name}.sysusers" RENAME ${name}.conf
    DESTINATION lib/sysusers.d COMPONENT ${component})
  install(FILES "${systemd}/${name}.tmpfiles" RENAME ${name}.conf
    DESTINATION lib/tmpfiles.d COMPONENT ${component})
  foreach(file IN LISTS ARG_DOCS)
    get_filename_component(folder "${file}" DIRECTORY)
    install(FILES "${CMAKE_SOURCE_DIR}/docs/${file}" DESTINATION "${doc}/${folder}"
      COMPONENT ${component})
  endforeach()
  foreach(file IN LISTS ARG_EXAMPLES)
    install(FILES "${CMAKE_SOURCE_DIR}/packaging/examples/${file}" DESTINATION "${doc}/examples"
      COMPONENT ${component})
  endforeach()

  # The prefix is known only when it is installed, and with it the path in the unit.
  set(made "${CMAKE_BINARY_DIR}/packaging/${component}")
  install(CODE "
    file(READ [[${systemd}/${name}.service]] unit)
    string(REPLACE \"ExecStart=/usr/local/bin/\"
      \"ExecStart=\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/\" unit \"\${unit}\")
    file(WRITE [[${made}/${name}.service]] \"\${unit}\")
    file(INSTALL [[${made}/${name}.service]]
      DESTINATION \"\${CMAKE_INSTALL_PREFIX}/lib/systemd/system\")" COMPONENT ${component})
  if(ARG_COMPLETION)
    # Debian's zsh has its packages' completions in a folder of its own.
    install(CODE "
      set(bash \"${CMAKE_INSTALL_DATAROOTDIR}/bash-completion/completions/${name}\")
      set(zsh \"${CMAKE_INSTALL_DATAROOTDIR}/zsh/site-functions/_${name}\")
      if(CMAKE_INSTALL_PREFIX STREQUAL \"/usr\")
        set(zsh \"${CMAKE_INSTALL_DATAROOTDIR}/zsh/vendor-completions/_${name}\")
      endif()
      foreach(shell IN ITEMS bash zsh)
        get_filename_component(folder \"\${\${shell}}\" DIRECTORY)
        get_filename_component(file \"\${\${shell}}\" NAME)
        file(MAKE_DIRECTORY [[${made}]])
        execute_process(COMMAND [[$<TARGET_FILE:${name}>]] completion \${shell}
          OUTPUT_FILE \"${made}/\${file}\" COMMAND_ERROR_IS_FATAL ANY)
        file(INSTALL \"${made}/\${file}\" DESTINATION \"\${CMAKE_INSTALL_PREFIX}/\${folder}\")
      endforeach()" COMPONENT ${component})
  endif()
endfunction()

# portunus_package(<component> <summary> <text>): the Debian package of a component.
function(portunus_package component summary text)
  set(name portunus-${component})
  set(made "${CMAKE_BINARY_DIR}/packaging/debian/${component}")
  set(debian "${CMAKE_SOURCE_DIR}/packaging/debian")
  # What a program begins with and leaves behind differs; the rest does not.
  set(PACKAGE ${name})
  foreach(part IN ITEMS seed purge)
    set(${part} "")
    if(EXISTS "${debian}/${name}.${part}")
      file(READ "${debian}/${name}.${part}" ${part})
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${debian}/${name}.${part}")
    endif()
  endforeach()
  set(scripts "")
  foreach(script IN ITEMS postinst prerm postrm)
    configure_file("${debian}/${script}.in" "${made}/${script}" @ONLY
      FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
                       WORLD_READ WORLD_EXECUTE)
    list(APPEND scripts "${made}/${script}")
  endforeach()
  string(TOUPPER ${component} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${name} PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_PACKAGE_CONTROL_EXTRA "${scripts}" PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_DESCRIPTION "${summary}\n${text}" PARENT_SCOPE)
endfunction()

set(PORTUNUS_COMPONENTS server client standalone)
portunus_install(server COMPLETION
  DOCS operator-guide.md events.md openapi.json contracts/cli-and-config.md contracts/http-api.md
    contracts/observability.md contracts/store-and-quotas.md)
# The package begins with a copy of it, so it must not lie where an image may leave files out.
install(FILES packaging/examples/server.toml
  DESTINATION "${CMAKE_INSTALL_DATAROOTDIR}/portunus-server" COMPONENT server)
portunus_install(client COMPLETION
  DOCS operator-guide.md events.md contracts/cli-and-config.md contracts/data-plane.md
    contracts/observability.md
  EXAMPLES portunus-sysctl.conf)
install(PROGRAMS packaging/systemd/portunus-enroll-edge DESTINATION "${CMAKE_INSTALL_SBINDIR}"
  COMPONENT client)
portunus_install(standalone COMPLETION
  DOCS events.md contracts/cli-and-config.md contracts/data-plane.md contracts/observability.md
  EXAMPLES standalone.toml portunus-sysctl.conf)
portunus_package(server "centre of Portunus, TCP and UDP port forwarding"
  "Keeps users, rights, rules and history of all edges, and offers an operator API, a command line
and metrics. It is installed, not started.")
portunus_package(client "edge of Portunus, TCP and UDP port forwarding"
  "Enrolls once with a one-time code of the centre (portunus-enroll-edge) and forwards, also while
the centre is away. It is installed, not started.")
portunus_package(standalone "TCP and UDP port forwarding from one file"
  "The engine of a Portunus edge for one host: rules from /etc/portunus/standalone.toml, no
centre. It is installed, not started.")
if(PORTUNUS_HAVE_PORTAL)
  list(APPEND PORTUNUS_COMPONENTS portal)
  portunus_install(portal
    DOCS portal-guide.md contracts/portal.md
    EXAMPLES portal.env portunus-sysctl.conf)
  portunus_package(portal "encrypted TCP and UDP relay"
    "Takes whoever has its key to what its host reaches, through TLS 1.3 or QUIC on one port, and
is its own client. It is installed, not started.")
endif()

# What is packed, without the tests.
add_custom_target(programs)
foreach(component IN LISTS PORTUNUS_COMPONENTS)
  add_dependencies(programs portunus-${component})
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME portunus)
set(CPACK_PACKAGE_CONTACT "The Portunus project")
set(CPACK_PACKAGE_VENDOR "The Portunus project")
set(CPACK_OUTPUT_FILE_PREFIX "${CMAKE_SOURCE_DIR}/build/packages")
# The path in a unit is made of the prefix, which is the packages' own only with DESTDIR.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL ${PORTUNUS_COMPONENTS})
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# For the maintainer scripts; the libraries are added to them.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd | systemd-sysusers, systemd | systemd-tmpfiles")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
