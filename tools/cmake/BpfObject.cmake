# srcsel_bpf_object(name dir): compiles every dir/*.bpf.c with clang, links them into one object,
# and makes the interface target <name>_skeleton whose header is <name>.skel.h.
#
# Only UAPI headers are used, so no BTF of the build host is needed.

find_program(SRCSEL_BPF_CLANG NAMES clang-14 clang REQUIRED)
find_program(SRCSEL_BPFTOOL NAMES bpftool PATHS /usr/sbin /sbin REQUIRED)

function(srcsel_bpf_object name dir)
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/${dir}/*.bpf.c")
  # The linker of libbpf 1.1 loses the offsets of maps that are defined after their first use.
  set(maps "${CMAKE_SOURCE_DIR}/${dir}/maps.bpf.c")
  if(maps IN_LIST sources)
    list(REMOVE_ITEM sources "${maps}")
    list(PREPEND sources "${maps}")
  endif()
  set(out "${CMAKE_BINARY_DIR}/${dir}")
  file(MAKE_DIRECTORY "${out}")
  set(objects "")
  foreach(source ${sources})
    get_filename_component(stem "${source}" NAME_WLE)
    set(object "${out}/${stem}.o")
    add_custom_command(
      OUTPUT "${object}"
      COMMAND
        "${SRCSEL_BPF_CLANG}" -g -O2 -target bpf -mcpu=v3 -std=gnu11 -Wall -Wextra -Werror
        -Wno-unused-function -I "${CMAKE_SOURCE_DIR}/include" -I "${CMAKE_SOURCE_DIR}/libsrcsel" -I
        "${CMAKE_SOURCE_DIR}/${dir}" -idirafter "/usr/include/${CMAKE_LIBRARY_ARCHITECTURE}" -MD -MF
        "${object}.d" -c "${source}" -o "${object}"
      DEPENDS "${source}"
      DEPFILE "${object}.d"
      COMMENT "Building BPF object ${stem}.o"
      VERBATIM)
    list(APPEND objects "${object}")
  endforeach()
  set(linked "${out}/${name}.linked.o")
  set(header "${out}/${name}.skel.h")
  add_custom_command(
    OUTPUT "${header}"
    COMMAND "${SRCSEL_BPFTOOL}" gen object "${linked}" ${objects}
    COMMAND "${SRCSEL_BPFTOOL}" gen skeleton "${linked}" name ${name}_bpf > "${header}.new"
    COMMAND "${CMAKE_COMMAND}" -E rename "${header}.new" "${header}"
    DEPENDS ${objects}
    COMMENT "Linking BPF objects into ${name}.skel.h"
    VERBATIM)
  add_custom_target(${name}_skeleton_header DEPENDS "${header}")
  add_library(${name}_skeleton INTERFACE)
  target_include_directories(${name}_skeleton SYSTEM INTERFACE "${out}")
  add_dependencies(${name}_skeleton ${name}_skeleton_header)
endfunction()
