# srcsel_library(ROOMS rooms... LINK libraries...): what programs outside of this tree link, made of
# those rooms, and how it is installed (components libsrcsel0, libsrcsel-dev).
#
# srcsel::shared, libsrcsel.so.0, has the C API, whose symbols alone it shows. srcsel::srcsel,
# libsrcsel.a, has that of C++ too, which promises no stable ABI. C programs find the first by
# pkg-config.

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

function(srcsel_library)
  cmake_parse_arguments(arg "" "" "ROOMS;LINK" ${ARGN})
  list(TRANSFORM arg_ROOMS REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE objects)
  set(map "${CMAKE_SOURCE_DIR}/libsrcsel/api/srcsel.map")
  set(headers "${CMAKE_SOURCE_DIR}/include/srcsel")

  add_library(libsrcsel_shared SHARED ${objects})
  target_link_libraries(libsrcsel_shared PRIVATE ${arg_LINK})
  target_link_options(libsrcsel_shared PRIVATE "LINKER:--version-script=${map}" LINKER:--no-undefined)
  set_target_properties(
    libsrcsel_shared PROPERTIES OUTPUT_NAME srcsel EXPORT_NAME shared VERSION ${PROJECT_VERSION}
                                SOVERSION 0 LINKER_LANGUAGE CXX LINK_DEPENDS "${map}")

  add_library(libsrcsel_static STATIC ${objects})
  target_link_libraries(libsrcsel_static PUBLIC ${arg_LINK})
  target_compile_features(libsrcsel_static INTERFACE cxx_std_20)
  set_target_properties(libsrcsel_static PROPERTIES OUTPUT_NAME srcsel EXPORT_NAME srcsel
                                                    LINKER_LANGUAGE CXX)

  foreach(library libsrcsel_shared libsrcsel_static)
    target_include_directories(
      ${library} INTERFACE "$<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>"
                           "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
  endforeach()

  set(package "${CMAKE_INSTALL_LIBDIR}/cmake/srcsel")
  set(templates "${CMAKE_SOURCE_DIR}/tools/cmake")
  # The package can be moved as a whole, so all is said relative to its srcsel.pc.
  file(RELATIVE_PATH SRCSEL_PC_INCLUDEDIR "/${CMAKE_INSTALL_LIBDIR}/pkgconfig"
       "/${CMAKE_INSTALL_INCLUDEDIR}")
  configure_file("${templates}/srcsel.pc.in" srcsel.pc @ONLY)
  write_basic_package_version_file(srcselConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  install(
    TARGETS libsrcsel_shared libsrcsel_static
    EXPORT srcsel
    LIBRARY COMPONENT libsrcsel0 NAMELINK_COMPONENT libsrcsel-dev
    ARCHIVE COMPONENT libsrcsel-dev)
  install(EXPORT srcsel NAMESPACE srcsel:: FILE srcselTargets.cmake DESTINATION "${package}"
          COMPONENT libsrcsel-dev)
  install(FILES "${templates}/srcselConfig.cmake"
                "${CMAKE_CURRENT_BINARY_DIR}/srcselConfigVersion.cmake"
          DESTINATION "${package}" COMPONENT libsrcsel-dev)
  install(FILES "${CMAKE_CURRENT_BINARY_DIR}/srcsel.pc"
          DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT libsrcsel-dev)
  install(FILES "${headers}/srcsel.h" "${headers}/mirror.hh" "${headers}/flow.hh"
                "${headers}/selection.hh" "${headers}/address.hh"
          DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/srcsel" COMPONENT libsrcsel-dev)
endfunction()
