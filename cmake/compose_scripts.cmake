# Makes one C++ file of the Lua scripts of a Redis dialect:
#   cmake -DDIALECT=bull -DFOLDERS=src/bull/scripts|src/redis_store/scripts -DOUT=... -P compose_scripts.cmake
# NAME.lua is the script of one verb. A line "--@include PIECE" is replaced by shared/PIECE.lua; pieces may include
# others, and each enters a script once. Of two files with one name the first folder's counts: the dialect's own.
cmake_policy(VERSION 3.25)
string(REPLACE "|" ";" FOLDERS "${FOLDERS}")

function(find_piece piece path_variable)
  foreach(folder IN LISTS FOLDERS)
    if(EXISTS "${folder}/shared/${piece}.lua")
      set(${path_variable} "${folder}/shared/${piece}.lua" PARENT_SCOPE)
      return()
    endif()
  endforeach()
  message(FATAL_ERROR "no folder has the Lua piece ${piece}")
endfunction()

function(compose text_variable)
  set(text "${${text_variable}}")
  set(already "")
  while(text MATCHES "--@include ([a-z_]+)")
    set(piece "${CMAKE_MATCH_1}")
    set(content "")
    if(NOT already MATCHES "<${piece}>")
      string(APPEND already "<${piece}>")
      find_piece("${piece}" path)
      file(READ "${path}" content)
    endif()
    string(FIND "${text}" "--@include ${piece}" start)
    string(LENGTH "--@include ${piece}" length)
    math(EXPR after "${start} + ${length}")
    string(SUBSTRING "${text}" 0 ${start} before)
    string(SUBSTRING "${text}" ${after} -1 behind)
    string(CONCAT text "${before}" "${content}" "${behind}")
  endwhile()
  set(${text_variable} "${text}" PARENT_SCOPE)
endfunction()

set(verbs "")
foreach(folder IN LISTS FOLDERS)
  file(GLOB scripts "${folder}/*.lua")
  foreach(script IN LISTS scripts)
    get_filename_component(verb "${script}" NAME_WE)
    if(NOT verb IN_LIST verbs)
      list(APPEND verbs "${verb}")
      set(script_of_${verb} "${script}")
    endif()
  endforeach()
endforeach()
list(SORT verbs)
set(entries "")
foreach(verb IN LISTS verbs)
  file(READ "${script_of_${verb}}" text)
  compose(text)
  string(APPEND entries "    {\"${verb}\", R\"lua(${text})lua\"},\n")
endforeach()
file(WRITE "${OUT}" "// Generated from scripts/*.lua.
#include <array>

#include \"${DIALECT}/script_texts.hpp\"

namespace gaur::${DIALECT} {

std::span<const redis_store::ScriptText> script_texts() {
  static constexpr auto kTexts = std::to_array<redis_store::ScriptText>({
${entries}  });
  return kTexts;
}

}  // namespace gaur::${DIALECT}
")
