# What `cpack` in the build's directory makes: the Debian packages srcsel, libsrcsel0, libsrcsel-dev
# and srcsel-preload, from the install components of the same names.

set(package "${CMAKE_SOURCE_DIR}/tools/package")
set(made "${CMAKE_BINARY_DIR}/share")

# Who makes the packages answers for them, under the name that Debian's tools take: DEBFULLNAME and
# DEBEMAIL. Without these nobody does, and the domain says so (RFC 2606).
set(contact "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
if("$ENV{DEBFULLNAME}" STREQUAL "" OR "$ENV{DEBEMAIL}" STREQUAL "")
  set(contact "unofficial build <nobody@example.org>")
endif()
set(CPACK_PACKAGE_CONTACT "${contact}")

# What a Debian package has to have, and what comes with it.
configure_file("${package}/changelog" "${made}/changelog" @ONLY)
execute_process(COMMAND gzip -9nf "${made}/changelog" COMMAND_ERROR_IS_FATAL ANY)
foreach(component srcsel libsrcsel0 libsrcsel-dev srcsel-preload)
  install(FILES "${package}/copyright" "${made}/changelog.gz"
          DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/${component}" COMPONENT ${component})
endforeach()
install(FILES "${package}/srcsel.service" "${package}/srcsel@.service"
        DESTINATION lib/systemd/system COMPONENT srcsel)
install(FILES "${package}/srcsel.toml" DESTINATION /etc/srcsel COMPONENT srcsel)
install(DIRECTORY DESTINATION /etc/srcsel/conf.d COMPONENT srcsel)
set(docs "${CMAKE_SOURCE_DIR}/docs")
install(FILES "${docs}/tutorial.md" "${docs}/troubleshooting.md" "${docs}/limits.md"
              "${docs}/two-lookups.svg"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/srcsel" COMPONENT srcsel)
install(DIRECTORY "${docs}/how-to"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/srcsel" COMPONENT srcsel)

install(FILES "${package}/lintian/srcsel-preload" COMPONENT srcsel-preload
        DESTINATION "${CMAKE_INSTALL_DATADIR}/lintian/overrides")

foreach(shell bash zsh fish)
  set(script "${made}/completion/${shell}")
  file(MAKE_DIRECTORY "${made}/completion")
  add_custom_command(
    OUTPUT "${script}"
    COMMAND srcsel completion ${shell} > "${script}.new"
    COMMAND "${CMAKE_COMMAND}" -E rename "${script}.new" "${script}"
    DEPENDS srcsel
    COMMENT "Writing ${shell}'s completion"
    VERBATIM)
  list(APPEND scripts "${script}")
endforeach()
add_custom_target(completion ALL DEPENDS ${scripts})
install(FILES "${made}/completion/bash" COMPONENT srcsel RENAME srcsel
        DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions")
install(FILES "${made}/completion/zsh" COMPONENT srcsel RENAME _srcsel
        DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions")
install(FILES "${made}/completion/fish" COMPONENT srcsel RENAME srcsel.fish
        DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME srcsel)
set(CPACK_PACKAGE_VENDOR srcsel)
# Without it, what has an absolute path would go to the root of the host that makes the packages.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ
                                                GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_SRCSEL_PACKAGE_NAME srcsel)
set(CPACK_DEBIAN_SRCSEL_PACKAGE_SECTION net)
set(CPACK_DEBIAN_SRCSEL_PACKAGE_RECOMMENDS "srcsel-preload (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_SRCSEL_PACKAGE_SUGGESTS "ipset, iptables, nftables")
set(CPACK_DEBIAN_SRCSEL_PACKAGE_CONTROL_EXTRA "${package}/conffiles;${package}/postinst;${package}/prerm")
set(CPACK_COMPONENT_SRCSEL_DESCRIPTION
    "right source addresses at the socket, without NAT
On a host with several uplinks, Linux chooses the source address of a
connection before netfilter can mark it. srcsel chooses it at the socket,
by BPF, from the host's own ip rules, tables and marks, so that nothing
needs to be translated.")

set(CPACK_DEBIAN_LIBSRCSEL0_PACKAGE_NAME libsrcsel0)
set(CPACK_DEBIAN_LIBSRCSEL0_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBSRCSEL0_PACKAGE_CONTROL_EXTRA "${package}/triggers")
set(CPACK_COMPONENT_LIBSRCSEL0_DESCRIPTION
    "which source address Linux takes for a flow (library)
A mirror of a network namespace's routing that answers which route and
source address a connection gets, in the program's own memory, and readies
its sockets for it.")

set(CPACK_DEBIAN_LIBSRCSEL-DEV_PACKAGE_NAME libsrcsel-dev)
set(CPACK_DEBIAN_LIBSRCSEL-DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_LIBSRCSEL-DEV_PACKAGE_DEPENDS
    "libsrcsel0 (= ${PROJECT_VERSION}), libabsl-dev, libnl-route-3-dev")
set(CPACK_COMPONENT_LIBSRCSEL-DEV_DESCRIPTION
    "which source address Linux takes for a flow (development files)
Headers, the static library with the C++ API, and what CMake and pkg-config
need to find them.")

set(CPACK_DEBIAN_SRCSEL-PRELOAD_PACKAGE_NAME srcsel-preload)
set(CPACK_DEBIAN_SRCSEL-PRELOAD_PACKAGE_SECTION net)
set(CPACK_COMPONENT_SRCSEL-PRELOAD_DESCRIPTION
    "right source addresses without privilege, by LD_PRELOAD
A library in front of libc that gives the sockets of one program the
source address of a policy, or of its environment.")

include(CPack)
foreach(component srcsel libsrcsel0 libsrcsel-dev srcsel-preload)
  cpack_add_component(${component})
endforeach()
