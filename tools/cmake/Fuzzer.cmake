# srcsel_fuzzer(name sources... FLAGS flags... LINK libraries...): the libFuzzer program fuzz_<name>,
# from these sources alone, as one, instrumented by clang for coverage, AddressSanitizer and
# UndefinedBehaviorSanitizer. All else in the project is gcc's, which knows no such thing.

find_program(SRCSEL_FUZZ_CLANG NAMES clang++-14 clang++ REQUIRED)

function(srcsel_fuzzer name)
  cmake_parse_arguments(arg "" "" "FLAGS;LINK" ${ARGN})
  set(flags -std=c++20 -O1 -g1 -fno-omit-frame-pointer -fno-sanitize-recover=all
            -fsanitize=fuzzer,address,undefined)
  set(joined "${CMAKE_CURRENT_BINARY_DIR}/${name}.cc")
  set(object "${CMAKE_CURRENT_BINARY_DIR}/${name}.o")
  set(includes "")
  foreach(source ${arg_UNPARSED_ARGUMENTS})
    get_filename_component(source "${source}" ABSOLUTE)
    string(APPEND includes "#include \"${source}\"\n")
  endforeach()
  file(CONFIGURE OUTPUT "${joined}" CONTENT "${includes}")
  add_custom_command(
    OUTPUT "${object}"
    COMMAND "${SRCSEL_FUZZ_CLANG}" ${flags} -Wall -Wextra -Werror -I "${CMAKE_SOURCE_DIR}/libsrcsel"
            -I "${CMAKE_SOURCE_DIR}/include" ${arg_FLAGS} -MD -MF "${object}.d" -c "${joined}" -o
            "${object}"
    DEPENDS "${joined}"
    DEPFILE "${object}.d"
    COMMENT "Building fuzz_${name}"
    VERBATIM)
  set(program "${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/fuzz_${name}")
  add_custom_command(
    OUTPUT "${program}"
    COMMAND "${SRCSEL_FUZZ_CLANG}" ${flags} "${object}" ${arg_LINK} -o "${program}"
    DEPENDS "${object}"
    COMMENT "Linking fuzz_${name}"
    VERBATIM)
  add_custom_target(fuzz_${name} ALL DEPENDS "${program}")
endfunction()
