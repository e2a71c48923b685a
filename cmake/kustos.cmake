# Compiler settings, and the three functions with which every folder describes itself.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS ON)  # statement expressions in TRY
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_POSITION_INDEPENDENT_CODE OFF)
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
endif()

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

option(KUSTOS_WERROR "warnings are errors" ON)
option(KUSTOS_HARDEN "hardening flags" OFF)
option(KUSTOS_FUZZ "libFuzzer targets (clang)" OFF)
set(KUSTOS_SANITIZE "" CACHE STRING "address,undefined or thread")
option(KUSTOS_PRECOMPILED "one precompiled header for all sources" OFF)

add_library(kustos_flags INTERFACE)
target_compile_options(kustos_flags INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual -Woverloaded-virtual
  $<$<BOOL:${KUSTOS_WERROR}>:-Werror>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)  # g++ 12 sees overlaps in std::string where there are none (GCC bug 105329)
target_compile_options(kustos_flags INTERFACE $<$<CXX_COMPILER_ID:Clang>:-Wno-unknown-warning-option>)
target_include_directories(kustos_flags INTERFACE ${CMAKE_SOURCE_DIR})
if(KUSTOS_SANITIZE)
  target_compile_options(kustos_flags INTERFACE -fsanitize=${KUSTOS_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all
    -fno-sanitize=vptr)  # it asks the system whether memory can be read, and behind seccomp (extractor, opener) the answer is always no
  target_link_options(kustos_flags INTERFACE -fsanitize=${KUSTOS_SANITIZE})
  # g++ with a sanitizer sees uninitialised values where there are none (std::variant, std::optional)
  target_compile_options(kustos_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
endif()
if(KUSTOS_FUZZ)
  target_compile_options(kustos_flags INTERFACE -fsanitize=fuzzer-no-link)  # coverage in the libraries too
endif()
if(KUSTOS_HARDEN)
  target_compile_options(kustos_flags INTERFACE -fstack-protector-strong -fstack-clash-protection -fcf-protection)
  target_compile_definitions(kustos_flags INTERFACE _FORTIFY_SOURCE=2)
  target_link_options(kustos_flags INTERFACE -Wl,-z,relro,-z,now)
endif()

# One precompiled header for all. With clang two thirds of a file's time are headers, and this halves it; g++ gains next to
# nothing. It hides an include that is missing: so never in the release build, which finds those.
if(KUSTOS_PRECOMPILED)
  target_compile_options(kustos_flags INTERFACE -pthread)  # some libraries ask for it, and it must be the same for all
  add_library(kustos_precompiled OBJECT ${CMAKE_SOURCE_DIR}/cmake/precompiled.cpp)
  target_link_libraries(kustos_precompiled PRIVATE kustos_flags)
  target_precompile_headers(kustos_precompiled PRIVATE ${CMAKE_SOURCE_DIR}/cmake/precompiled.h)
endif()
function(kustos_precompile target)
  if(KUSTOS_PRECOMPILED)
    target_precompile_headers(${target} REUSE_FROM kustos_precompiled)
  endif()
endfunction()

# kustos_module(NAME SOURCES ... PUBLIC modules... PRIVATE libraries...)
# A static library kustos_NAME. PUBLIC are other kustos modules; PRIVATE are third-party libraries (targets or flags).
function(kustos_module name)
  cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(kustos_${name} STATIC ${arg_SOURCES})
  target_link_libraries(kustos_${name} PUBLIC kustos_flags)
  foreach(other IN LISTS arg_PUBLIC)
    target_link_libraries(kustos_${name} PUBLIC kustos_${other})
  endforeach()
  target_link_libraries(kustos_${name} PRIVATE ${arg_PRIVATE})
  kustos_precompile(kustos_${name})
endfunction()

# kustos_pkg(TARGET pkg-config-name): an imported target from pkg-config, headers as system headers.
function(kustos_pkg target module)
  if(NOT TARGET ${target})
    pkg_check_modules(${target}_PC REQUIRED ${module})
    add_library(${target} INTERFACE IMPORTED GLOBAL)
    target_include_directories(${target} SYSTEM INTERFACE ${${target}_PC_INCLUDE_DIRS})
    # by name, not by path to the .so: a program linked with -static (kustos-verify) then takes the .a
    target_link_directories(${target} INTERFACE ${${target}_PC_LIBRARY_DIRS})
    target_link_libraries(${target} INTERFACE ${${target}_PC_LIBRARIES})
    target_compile_options(${target} INTERFACE ${${target}_PC_CFLAGS_OTHER})
  endif()
endfunction()

# kustos_poco(components...): Poco, for the folder that calls it. Its package would set _XOPEN_SOURCE=500 for all who use
# it, which g++ and clang set to 700 for C++ anyway, and clang refuses two of them beside a precompiled header.
macro(kustos_poco)
  find_package(Poco REQUIRED COMPONENTS ${ARGN})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    get_target_property(poco_definitions Poco::Foundation INTERFACE_COMPILE_DEFINITIONS)
    list(FILTER poco_definitions EXCLUDE REGEX "^_XOPEN_SOURCE=")
    set_target_properties(Poco::Foundation PROPERTIES INTERFACE_COMPILE_DEFINITIONS "${poco_definitions}")
  endif()
endmacro()

# kustos_test(NAME SOURCES ... MODULES ...): a doctest binary test_NAME, run by ctest; label unit.
function(kustos_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;MODULES;PRIVATE" ${ARGN})
  add_executable(test_${name} ${arg_SOURCES})
  target_link_libraries(test_${name} PRIVATE kustos_flags kustos_test_support ${arg_PRIVATE})
  foreach(module IN LISTS arg_MODULES)
    target_link_libraries(test_${name} PRIVATE kustos_${module})
  endforeach()
  kustos_precompile(test_${name})
  add_test(NAME ${name} COMMAND test_${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 900 LABELS unit)
endfunction()
