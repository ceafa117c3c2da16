# gaur_redis_scripts(DIALECT): composes the Lua scripts of src/DIALECT/scripts, and the common ones of
# src/redis_store/scripts, into script_texts.cpp of the calling folder. The scripts become string constants: nothing is
# read at run time.
set(GAUR_COMPOSE_SCRIPTS "${CMAKE_CURRENT_LIST_DIR}/compose_scripts.cmake")

function(gaur_redis_scripts dialect)
  set(folders "${CMAKE_SOURCE_DIR}/src/${dialect}/scripts" "${CMAKE_SOURCE_DIR}/src/redis_store/scripts")
  set(sources "")
  foreach(folder IN LISTS folders)
    file(GLOB found CONFIGURE_DEPENDS "${folder}/*.lua" "${folder}/shared/*.lua")
    list(APPEND sources ${found})
  endforeach()
  list(JOIN folders "|" joined)
  add_custom_command(
    OUTPUT script_texts.cpp
    COMMAND ${CMAKE_COMMAND} -DDIALECT=${dialect} "-DFOLDERS=${joined}"
            -DOUT=${CMAKE_CURRENT_BINARY_DIR}/script_texts.cpp -P "${GAUR_COMPOSE_SCRIPTS}"
    DEPENDS ${sources} "${GAUR_COMPOSE_SCRIPTS}"
    COMMENT "Composing the Lua scripts of ${dialect}"
    VERBATIM)
endfunction()
