# One static library a folder of src/playhead, one test executable for its *_test.cc files.

include(GoogleTest)

# Precompiled headers. On 2 cores with the dev flags, a file that includes arrow/api.h takes 3.0 s
# without and 1.1 s with one; a test with gmock as well 5.0 s and 2.5 s.
if(PLAYHEAD_PCH)
  # ccache needs the PCH's name in the preprocessed source to hash the right file.
  target_compile_options(playhead_flags INTERFACE -fpch-preprocess)
  foreach(kind arrow cli sql test)
    add_library(playhead_pch_${kind} OBJECT "${PROJECT_SOURCE_DIR}/cmake/pch.cc")
    target_link_libraries(playhead_pch_${kind} PRIVATE playhead_flags Arrow::arrow)
  endforeach()
  target_precompile_headers(playhead_pch_arrow PRIVATE <arrow/api.h>)
  target_link_libraries(playhead_pch_cli PRIVATE CLI11::CLI11)
  target_precompile_headers(playhead_pch_cli PRIVATE <CLI/CLI.hpp>)
  target_link_libraries(playhead_pch_sql PRIVATE DuckDB::duckdb)
  target_precompile_headers(playhead_pch_sql PRIVATE <arrow/api.h> <duckdb.hpp>)
  target_link_libraries(playhead_pch_test PRIVATE GTest::gmock)
  target_precompile_headers(playhead_pch_test PRIVATE <arrow/api.h> <gmock/gmock.h> <gtest/gtest.h>)
endif()

# playhead_reuse_pch(TARGET KIND)
function(playhead_reuse_pch target kind)
  if(PLAYHEAD_PCH)
    target_precompile_headers(${target} REUSE_FROM playhead_pch_${kind})
  endif()
endfunction()

# playhead_executable(TARGET): what all our executables share.
function(playhead_executable target)
  target_link_libraries(${target} PRIVATE playhead_flags playhead_sanitizer_options)
endfunction()

# playhead_included_folders(OUT FILE): the libraries of the folders FILE includes, for programs outside
# src/playhead. They then build although another folder does not.
function(playhead_included_folders out file)
  set_property(DIRECTORY "${PROJECT_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
  file(STRINGS "${file}" lines REGEX "^#include \"playhead/")
  set(libraries "")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "^#include \"playhead/([a-z_]+)/.*" "playhead::\\1" library "${line}")
    if(TARGET ${library})
      list(APPEND libraries ${library})
    endif()
  endforeach()
  list(REMOVE_DUPLICATES libraries)
  set(${out} "${libraries}" PARENT_SCOPE)
endfunction()

# playhead_test(TARGET SOURCES file… LIBS target… PREFIX text LABEL label): a GoogleTest program; each
# of its tests becomes one of ctest's, named PREFIX + suite.test.
function(playhead_test target)
  cmake_parse_arguments(arg "" "PREFIX;LABEL" "SOURCES;LIBS" ${ARGN})
  add_executable(${target} ${arg_SOURCES})
  playhead_executable(${target})
  target_link_libraries(${target} PRIVATE ${arg_LIBS} GTest::gmock_main GTest::gtest)
  target_compile_definitions(${target} PRIVATE PLAYHEAD_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                             PLAYHEAD_BINARY_DIR="${CMAKE_BINARY_DIR}")
  playhead_reuse_pch(${target} test)
  if(PLAYHEAD_TESTS_IN_ALL)
    gtest_discover_tests(${target}
      DISCOVERY_MODE PRE_TEST
      TEST_PREFIX "${arg_PREFIX}"
      PROPERTIES TIMEOUT 300 LABELS "${arg_LABEL}")
  else()
    set_target_properties(${target} PROPERTIES EXCLUDE_FROM_ALL ON)
  endif()
endfunction()

# playhead_folder(NAME [DEPS folder…] [LIBS target…] [PCH kind] [EXECUTABLE name])
#
# Links the folders in DEPS and the libraries in LIBS. A folder without files is skipped, one with
# headers only becomes an INTERFACE library. PCH names the precompiled header most of its files use.
# With EXECUTABLE, main.cc is not part of the library but becomes an executable of that name at the
# top of the build folder.
function(playhead_folder name)
  cmake_parse_arguments(arg "" "EXECUTABLE;PCH" "DEPS;LIBS" ${ARGN})
  set(dir "${PROJECT_SOURCE_DIR}/src/playhead/${name}")
  file(GLOB sources CONFIGURE_DEPENDS "${dir}/*.cc")
  file(GLOB headers CONFIGURE_DEPENDS "${dir}/*.h")
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  set(main "")
  if(arg_EXECUTABLE)
    set(main ${sources})
    list(FILTER main INCLUDE REGEX "/main\\.cc$")
    list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  endif()
  if(NOT sources AND NOT headers AND NOT main)
    return()
  endif()

  set(links ${arg_LIBS})
  foreach(dep IN LISTS arg_DEPS)
    if(TARGET playhead_${dep})
      list(APPEND links playhead::${dep})
    endif()
  endforeach()

  set(library playhead_${name})
  if(sources)
    add_library(${library} STATIC ${sources})
    target_link_libraries(${library} PUBLIC playhead_flags ${links})
    if(arg_PCH)
      playhead_reuse_pch(${library} ${arg_PCH})
    endif()
  else()
    add_library(${library} INTERFACE)
    target_link_libraries(${library} INTERFACE playhead_flags ${links})
  endif()
  add_library(playhead::${name} ALIAS ${library})

  if(main)
    add_executable(${arg_EXECUTABLE} ${main})
    playhead_executable(${arg_EXECUTABLE})
    target_link_libraries(${arg_EXECUTABLE} PRIVATE ${library})
    set_target_properties(${arg_EXECUTABLE} PROPERTIES
      RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
  endif()

  if(tests)
    playhead_test(${name}_test SOURCES ${tests} LIBS ${library} PREFIX "${name}." LABEL unit)
  endif()
endfunction()
