# find_package(srcsel): srcsel::srcsel for C++, srcsel::shared for C.

include(CMakeFindDependencyMacro)
find_dependency(absl)
find_dependency(PkgConfig)
pkg_check_modules(NL REQUIRED QUIET IMPORTED_TARGET libnl-route-3.0)
include("${CMAKE_CURRENT_LIST_DIR}/srcselTargets.cmake")
