# One google-benchmark program per bench/*.cc.

file(GLOB benches CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/bench/*.cc")

foreach(file IN LISTS benches)
  get_filename_component(stem "${file}" NAME_WE)
  add_executable(${stem} "${file}")
  playhead_executable(${stem})
  playhead_included_folders(libraries "${file}")
  target_link_libraries(${stem} PRIVATE ${libraries} benchmark::benchmark benchmark::benchmark_main)
  if(NOT PLAYHEAD_BENCHES_IN_ALL)
    set_target_properties(${stem} PROPERTIES EXCLUDE_FROM_ALL ON)
  endif()
endforeach()
