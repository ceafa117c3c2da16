# What every target of the project shares: language level, warnings, sanitizers, the precompiled
# headers, and the four functions with which folders declare themselves.
option(GAUR_WERROR "Treat warnings as errors" OFF)
option(GAUR_BENCH "Build the benchmarks" ON)
option(GAUR_FUZZ "Link the fuzz targets with libFuzzer; needs clang" OFF)
set(GAUR_SANITIZE "" CACHE STRING "Sanitizers, as given to -fsanitize= (address,undefined or thread)")
option(GAUR_JOIN_SOURCES "Compile ten sources of a target as one: half the time for all, more for one changed file" OFF)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_FLAGS_RELEASE "-O2")  # no NDEBUG: assertions stay
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_library(GAUR_LMDB lmdb REQUIRED)
find_library(GAUR_SECCOMP seccomp REQUIRED)

find_program(GAUR_CCACHE ccache)
if(GAUR_CCACHE)
  # Precompiled headers need the sloppiness; paths relative to the tree let worktrees share the cache.
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env CCACHE_SLOPPINESS=pch_defines,time_macros
    CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 "${GAUR_CCACHE}")
endif()
find_program(GAUR_MOLD mold)

# One set of flags for libraries and programs alike (-fPIE in both): GCC drops a precompiled header
# that was made under different ones.
add_library(gaur_flags INTERFACE)
target_compile_options(gaur_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  -fstack-protector-strong -fPIE $<$<BOOL:${GAUR_WERROR}>:-Werror>)
target_compile_definitions(gaur_flags INTERFACE _GLIBCXX_ASSERTIONS
  $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
target_link_options(gaur_flags INTERFACE $<$<BOOL:${GAUR_MOLD}>:-fuse-ld=mold> -pie -Wl,-z,relro,-z,now)
target_include_directories(gaur_flags INTERFACE "${CMAKE_SOURCE_DIR}/include" "${CMAKE_SOURCE_DIR}/src")
if(GAUR_SANITIZE)
  target_compile_options(gaur_flags INTERFACE -fsanitize=${GAUR_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  # False alarms of GCC 12 in instrumented code (std::regex, Beast); release has the warning.
  target_compile_options(gaur_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(gaur_flags INTERFACE -fsanitize=${GAUR_SANITIZE})
  if(GAUR_SANITIZE MATCHES "undefined")
    # A third of compiling. AddressSanitizer stops at null pointers and at the ends of objects by itself; objects of
    # another dynamic type (vptr) are given up.
    target_compile_options(gaur_flags INTERFACE -fno-sanitize=null,object-size,vptr)
  endif()
  if(GAUR_SANITIZE STREQUAL "thread")
    target_compile_options(gaur_flags INTERFACE -Wno-tsan)  # Boost uses fences, which GCC's TSan cannot follow
  endif()
endif()

# Test code is compiled without optimisation: it is a third of all compiling, and nothing waits for it.
add_library(gaur_test_flags INTERFACE)
target_link_libraries(gaur_test_flags INTERFACE gaur_flags)
target_compile_options(gaur_test_flags INTERFACE -O0 -U_FORTIFY_SOURCE)

# gaur_join_sources(TARGET [FILE ...]): with GAUR_JOIN_SOURCES ten sources at a time are one translation unit (CI and the
# sanitizer builds). The files named stay apart: they have a private name that another file of the target has as well.
function(gaur_join_sources target)
  if(NOT GAUR_JOIN_SOURCES)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 10)
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)  # false in joined sources
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

# gaur_library(NAME SOURCES a.cpp ... [ALONE a.cpp ...] [PUBLIC lib ...] [PRIVATE lib ...])
# Links are PRIVATE unless the library's own headers show the other's types.
function(gaur_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;ALONE;PUBLIC;PRIVATE" ${ARGN})
  add_library(gaur_${name} STATIC ${arg_SOURCES})
  gaur_join_sources(gaur_${name} ${arg_ALONE})
  target_link_libraries(gaur_${name} PUBLIC gaur_flags Threads::Threads ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
  gaur_precompile(gaur_${name})
endfunction()

# gaur_executable(NAME SOURCES ... [ALONE ...] LINK lib ...): a program under build/bin.
function(gaur_executable name)
  cmake_parse_arguments(arg "" "" "SOURCES;ALONE;LINK" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  gaur_join_sources(${name} ${arg_ALONE})
  target_link_libraries(${name} PRIVATE gaur_flags Threads::Threads ${arg_LINK})
  gaur_precompile(${name})
endfunction()

# gaur_test_scheduling(TEST [COST s] [BUSY] [RUN_ALONE]): how a test runs beside the others. scripts/test runs two tests a core,
# because most of them wait for timers. COST is the test's duration in seconds: long tests start first. A BUSY test
# computes all the time and takes both places of a core. RUN_ALONE is for tests that expect
# something within a second of the clock.
function(gaur_test_scheduling test)
  cmake_parse_arguments(arg "BUSY;RUN_ALONE" "COST" "" ${ARGN})
  if(arg_COST)
    set_tests_properties(${test} PROPERTIES COST ${arg_COST})
  endif()
  if(arg_BUSY)
    set_tests_properties(${test} PROPERTIES PROCESSORS 2)
  endif()
  if(arg_RUN_ALONE)
    set_tests_properties(${test} PROPERTIES RUN_SERIAL TRUE)
  endif()
endfunction()

# gaur_test(NAME SOURCES ... [ALONE ...] LINK lib ... [LABELS ...] [TIMEOUT s] [ARGS ...] [DEPENDS target ...] [gaur_test_scheduling's ...])
# One GoogleTest program and one ctest entry. The name's suffix says what it needs: _test nothing
# but the program itself, _process_test starts processes, _crash_test kills them, _duckdb_test needs libduckdb.
function(gaur_test name)
  cmake_parse_arguments(arg "BUSY;RUN_ALONE" "TIMEOUT;COST" "SOURCES;ALONE;LINK;LABELS;ARGS;DEPENDS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  gaur_join_sources(${name} ${arg_ALONE})
  if(GAUR_JOIN_SOURCES)
    target_compile_options(${name} PRIVATE -Wno-shadow)  # a test's own struct Row, and the one of another file
  endif()
  target_link_libraries(${name} PRIVATE gaur_test_flags Threads::Threads ${arg_LINK} GTest::gmock GTest::gtest_main)
  target_precompile_headers(${name} REUSE_FROM gaur_test_pch)
  add_test(NAME ${name} COMMAND ${name} ${arg_ARGS})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}")
  gaur_test_scheduling(${name} ${ARGN})
  if(arg_DEPENDS)
    add_dependencies(${name} ${arg_DEPENDS})
  endif()
endfunction()

# gaur_test_library(NAME SOURCES ... [ALONE ...] [PUBLIC lib ...]): what several test programs share, compiled as they are.
function(gaur_test_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;ALONE;PUBLIC" ${ARGN})
  add_library(gaur_${name} STATIC ${arg_SOURCES})
  gaur_join_sources(gaur_${name} ${arg_ALONE})
  target_link_libraries(gaur_${name} PUBLIC gaur_flags Threads::Threads ${arg_PUBLIC} GTest::gmock
    PRIVATE gaur_test_flags)
  target_precompile_headers(gaur_${name} REUSE_FROM gaur_test_pch)
endfunction()

# The std headers that nearly every file reads, compiled once for all targets.
add_library(gaur_pch OBJECT "${CMAKE_SOURCE_DIR}/cmake/pch.cpp")
target_link_libraries(gaur_pch PRIVATE gaur_flags Threads::Threads fmt::fmt Boost::json)
target_precompile_headers(gaur_pch PRIVATE "${CMAKE_SOURCE_DIR}/cmake/pch.hpp")
function(gaur_precompile target)
  target_precompile_headers(${target} REUSE_FROM gaur_pch)
endfunction()

# The same with GoogleMock, for tests.
if(BUILD_TESTING)
  find_package(GTest REQUIRED)
  add_library(gaur_test_pch OBJECT EXCLUDE_FROM_ALL "${CMAKE_SOURCE_DIR}/cmake/pch.cpp")
  target_link_libraries(gaur_test_pch PRIVATE gaur_test_flags Threads::Threads fmt::fmt Boost::json GTest::gmock)
  target_precompile_headers(gaur_test_pch PRIVATE "${CMAKE_SOURCE_DIR}/cmake/pch.hpp" <gmock/gmock.h>)
endif()
