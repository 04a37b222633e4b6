# srcsel_precompile(target set): where SRCSEL_PRECOMPILE asks for it, <target> reads the headers of
# that set precompiled, and its sources are compiled ten at a time. Sets: `library` and `verb`, for
# static libraries and programs of them; `test`, for programs with GoogleTest, which get
# ${SRCSEL_UNSANITIZED}; `sanitized_test`, for those that do not.
#
# A build spends most of its time reading the same headers, and on what they leave in each object
# (12 s for CLI11 under sanitizers); so both are done few times. The release reads what each source
# names: a source that names too little does not compile there.

option(SRCSEL_PRECOMPILE "precompile headers, join sources" OFF)

set(library_headers
    <algorithm> <array> <cerrno> <cstring> <functional> <map> <memory> <optional> <set> <span>
    <string> <thread> <vector> <absl/container/flat_hash_map.h> <absl/functional/function_ref.h>
    <absl/status/statusor.h> <absl/strings/str_cat.h> <absl/strings/str_join.h>
    <absl/strings/str_split.h> <linux/rtnetlink.h> <sys/socket.h>)
set(verb_headers <CLI/CLI.hpp> <nlohmann/json.hpp> ${library_headers})
set(test_headers <gmock/gmock.h> <gtest/gtest.h> <fstream> <iostream> <random> ${library_headers})

set(sanitized_test_headers ${test_headers})

function(srcsel_precompile target set)
  if(NOT SRCSEL_PRECOMPILE)
    return()
  endif()
  set(owner precompiled_${set})
  if(NOT TARGET ${owner})
    set(source "${CMAKE_BINARY_DIR}/${owner}.cc")
    file(CONFIGURE OUTPUT "${source}" CONTENT "int main() {}\n")
    # gcc takes precompiled headers only with the same -fPIC or -fPIE.
    if(set MATCHES "test$")
      add_executable(${owner} EXCLUDE_FROM_ALL "${source}")
      target_link_libraries(${owner} PRIVATE GTest::gmock)
      if(set STREQUAL "test")
        target_compile_options(${owner} PRIVATE ${SRCSEL_UNSANITIZED})
      endif()
    else()
      add_library(${owner} STATIC EXCLUDE_FROM_ALL "${source}")
    endif()
    target_precompile_headers(${owner} PRIVATE ${${set}_headers})
  endif()
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "EXECUTABLE" AND NOT set MATCHES "test$")
    target_compile_options(${target} PRIVATE -fPIC)
  endif()
  target_precompile_headers(${target} REUSE_FROM ${owner})
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 10)
endfunction()
