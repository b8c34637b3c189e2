# Third-party libraries as imported targets. The pinned ones live in third_party/prefix, one folder
# a component, so that a target sees only the headers of what it links; `./dev setup` fills it.

set(prefix "${PROJECT_SOURCE_DIR}/third_party/prefix")
foreach(part arrow duckdb-headers duckdb-library rdkafka simdjson)
  if(NOT EXISTS "${prefix}/${part}/.stamp")
    message(FATAL_ERROR "${prefix}/${part} is missing; run ./dev setup")
  endif()
endforeach()

# playhead_shared_library(TARGET FILE INCLUDE_DIR)
function(playhead_shared_library target file include)
  get_filename_component(soname "${file}" NAME)
  add_library(${target} SHARED IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES
    IMPORTED_LOCATION "${file}"
    IMPORTED_SONAME "${soname}"
    INTERFACE_INCLUDE_DIRECTORIES "${include}"
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${include}")
endfunction()

foreach(name arrow arrow_compute parquet)
  string(REGEX REPLACE "^arrow_" "" short "${name}")
  playhead_shared_library(Arrow::${short} "${prefix}/arrow/lib/lib${name}.so.2600"
                          "${prefix}/arrow/include")
endforeach()
foreach(name compute parquet)
  target_link_libraries(Arrow::${name} INTERFACE Arrow::arrow)
endforeach()

playhead_shared_library(DuckDB::duckdb "${prefix}/duckdb-library/lib/libduckdb.so"
                        "${prefix}/duckdb-headers/include")
playhead_shared_library(RdKafka::rdkafka "${prefix}/rdkafka/lib/librdkafka.so.1"
                        "${prefix}/rdkafka/include")

# simdjson is one source file. It chooses its kernel at run time and is only fast when optimised, so
# it is compiled with -O3 in every preset and without sanitizers or our warnings.
add_library(simdjson STATIC "${prefix}/simdjson/simdjson.cpp")
target_compile_options(simdjson PRIVATE -O3 -w)
target_include_directories(simdjson SYSTEM PUBLIC "${prefix}/simdjson")
add_library(simdjson::simdjson ALIAS simdjson)

# Debian's packages.
find_package(absl REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(CURL REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(prometheus-cpp REQUIRED COMPONENTS core)
find_package(Boost 1.81 REQUIRED)
find_package(GTest CONFIG REQUIRED)
find_package(benchmark REQUIRED)

# playhead_system_library(TARGET LIBRARY HEADER): for packages without a CMake or pkg-config file.
function(playhead_system_library target library header)
  find_library(${library}_LIBRARY ${library} REQUIRED)
  find_path(${library}_INCLUDE_DIR ${header} REQUIRED)
  add_library(${target} UNKNOWN IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES
    IMPORTED_LOCATION "${${library}_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${${library}_INCLUDE_DIR}")
endfunction()

playhead_system_library(xxhash::xxhash xxhash xxhash.h)
playhead_system_library(edit::edit edit histedit.h)
