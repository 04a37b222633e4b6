# Language levels, warnings and sanitizers for every target of the project.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 17)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")

# Where Debian's loader looks, also below /usr/local.
if(CMAKE_LIBRARY_ARCHITECTURE)
  set(CMAKE_INSTALL_LIBDIR "lib/${CMAKE_LIBRARY_ARCHITECTURE}" CACHE STRING "libraries")
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Werror)
# When it optimizes, gcc 12 finds strings uninitialized in the very aggregate that initializes them, and
# copies of strings that overlap where a character is put in front of one (gcc bug 105651).
add_compile_options(-Wno-maybe-uninitialized -Wno-restrict)

# A structure of a hundred bytes is cleared by stores. gcc 12 would take `rep stos`, which needs 10 ns
# to begin: a fifth of what a lookup costs.
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  add_compile_options($<$<NOT:$<CONFIG:Debug>>:-mmemset-strategy=unrolled_loop:256:noalign,libcall:-1:noalign>)
endif()

# Lines are what a sanitizer's report needs; types and variables cost a quarter of the build.
set(CMAKE_C_FLAGS_DEBUG "-g1")
set(CMAKE_CXX_FLAGS_DEBUG "-g1")
# What a sanitizer keeps of its checks is a million addresses, worked out at each start of a program
# that may be loaded anywhere: a third of what a start took.
set(CMAKE_EXE_LINKER_FLAGS_DEBUG "-no-pie")

set(SRCSEL_SANITIZE "" CACHE STRING "sanitizers, as for -fsanitize=")
if(SRCSEL_SANITIZE)
  # A null pointer faults by itself; checking for each costs a quarter of the build, and for its
  # alignment a fifth: that is done where bytes are read as structures, see srcsel_check_alignment().
  # Looking at a vptr takes a descriptor: the check is wrong where none is left, which tests try.
  add_compile_options(-fsanitize=${SRCSEL_SANITIZE} -fno-sanitize=null,vptr,alignment
                      -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${SRCSEL_SANITIZE})
endif()

# srcsel_check_alignment(target): also of each pointer, under UndefinedBehaviorSanitizer.
function(srcsel_check_alignment target)
  if(SRCSEL_SANITIZE MATCHES "undefined")
    target_compile_options(${target} PRIVATE -fsanitize=alignment)
  endif()
endfunction()

# For code that needs no sanitizer: it compiles in three quarters of the time. What Abseil's
# containers tell the sanitizer they must tell it everywhere, hence the macro. Threads are checked
# everywhere or nowhere.
set(SRCSEL_UNSANITIZED "")
if(SRCSEL_SANITIZE MATCHES "address")
  set(SRCSEL_UNSANITIZED -fno-sanitize=all -D__SANITIZE_ADDRESS__=1)
endif()
