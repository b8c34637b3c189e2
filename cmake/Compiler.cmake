# Flags for our own code, the compiler cache and the linker.

if(NOT CMAKE_BUILD_TYPE)
  message(FATAL_ERROR "configure through a preset: ./dev build [--preset NAME]")
endif()

find_program(PLAYHEAD_CCACHE ccache)
if(PLAYHEAD_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${PLAYHEAD_CCACHE}")
endif()

# Linking a sanitized test takes seconds with GNU ld and tenths with mold.
find_program(PLAYHEAD_MOLD mold)
if(PLAYHEAD_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

find_package(Threads REQUIRED)

# Carries what every target of ours is compiled and linked with; third-party sources do not use it.
add_library(playhead_flags INTERFACE)
# GCC warns of members left to their default in a designated initializer, which is what options are for.
# Its maybe-uninitialized sees ghosts in instrumented code and in temporaries of designated initializers.
target_compile_options(playhead_flags INTERFACE -Wall -Wextra -Wno-missing-field-initializers
                       # Optimised std::string concatenation trips GCC 12 (its bug 105329).
                       $<$<AND:$<CXX_COMPILER_ID:GNU>,$<CONFIG:Release>>:-Wno-restrict>
                       $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
if(PLAYHEAD_FUZZ)
  target_compile_options(playhead_flags INTERFACE -fsanitize=fuzzer-no-link)
else()
  # Not under clang: its warnings differ, and the fuzzers are not where they are fixed.
  target_compile_options(playhead_flags INTERFACE -Werror)
endif()
target_include_directories(playhead_flags INTERFACE "${PROJECT_SOURCE_DIR}/src")
target_link_libraries(playhead_flags INTERFACE Threads::Threads)
target_compile_definitions(playhead_flags INTERFACE PLAYHEAD_VERSION="${PROJECT_VERSION}")

if(PLAYHEAD_SANITIZE)
  set(flags -fsanitize=${PLAYHEAD_SANITIZE} -fno-sanitize-recover=all)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND PLAYHEAD_SANITIZE MATCHES "undefined")
    # Pointer checks double GCC's compile time (12.9 s to 4.7 s of CPU for schema_json.cc, with -O0
    # in place of -O1). AddressSanitizer meets the same bugs, and the fuzz preset keeps every check.
    list(APPEND flags
      -fno-sanitize=vptr,null,alignment,object-size,pointer-overflow
      -fno-sanitize=nonnull-attribute,returns-nonnull-attribute)
  endif()
  if(PLAYHEAD_SANITIZE MATCHES "thread")
    # Asio has fences, which the sanitizer does not model; GCC makes that a warning.
    list(APPEND flags -Wno-tsan)
  endif()
  target_compile_options(playhead_flags INTERFACE ${flags})
  target_link_options(playhead_flags INTERFACE ${flags})
endif()

# The sanitizers' defaults are linked into every executable, so a test started by hand behaves as
# under ctest.
add_library(playhead_sanitizer_options OBJECT
            "${PROJECT_SOURCE_DIR}/cmake/sanitizer_options.cc")
target_link_libraries(playhead_sanitizer_options PRIVATE playhead_flags)
