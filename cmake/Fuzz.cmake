# One program per fuzz/*.cc, each with `LLVMFuzzerTestOneInput`. Under the fuzz preset libFuzzer drives
# it; in the others fuzz/replay_main.cc feeds it the files of fuzz/corpus/<program>/ and mutations of
# them, and ctest runs that.

file(GLOB fuzzers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/fuzz/*.cc")
list(FILTER fuzzers EXCLUDE REGEX "/replay_main\\.cc$")

foreach(file IN LISTS fuzzers)
  get_filename_component(stem "${file}" NAME_WE)
  if(PLAYHEAD_FUZZ)
    add_executable(${stem} "${file}")
    target_link_options(${stem} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(${stem} "${file}" "${PROJECT_SOURCE_DIR}/fuzz/replay_main.cc")
    if(PLAYHEAD_TESTS_IN_ALL)
      add_test(NAME fuzz.${stem} COMMAND ${stem} "${PROJECT_SOURCE_DIR}/fuzz/corpus/${stem}")
      set_tests_properties(fuzz.${stem} PROPERTIES TIMEOUT 120 LABELS unit)
    else()
      set_target_properties(${stem} PROPERTIES EXCLUDE_FROM_ALL ON)
    endif()
  endif()
  playhead_executable(${stem})
  playhead_included_folders(libraries "${file}")
  target_link_libraries(${stem} PRIVATE ${libraries})
endforeach()

# Under the fuzz preset only the fuzzers and what they link are built.
if(PLAYHEAD_FUZZ AND TARGET playhead)
  set_target_properties(playhead PROPERTIES EXCLUDE_FROM_ALL ON)
endif()
