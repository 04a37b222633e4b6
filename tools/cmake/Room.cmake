# srcsel_room(name deps...): the library of libsrcsel/<name>, target `<name>`, from all its sources.
# A room of headers alone becomes an interface target.

function(srcsel_room name)
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/libsrcsel/${name}/*.c"
                                      "${CMAKE_SOURCE_DIR}/libsrcsel/${name}/*.cc")
  if(sources)
    add_library(${name} STATIC ${sources})
    set_target_properties(${name} PROPERTIES OUTPUT_NAME srcsel_${name})
    srcsel_precompile(${name} library)
    set(scope PUBLIC)
  else()
    add_library(${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(${name} ${scope} "${CMAKE_SOURCE_DIR}/libsrcsel"
                                              "${CMAKE_SOURCE_DIR}/include")
  target_link_libraries(${name} ${scope} ${ARGN})
endfunction()
