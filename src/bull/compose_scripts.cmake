# Makes one C++ file of the Lua scripts: cmake -DFOLDER=... -DOUT=... -P compose_scripts.cmake
# scripts/NAME.lua is one verb. A line "--@include PIECE" stands for scripts/shared/PIECE.lua; pieces may include others,
# and each enters a script once.
function(compose text_variable already_variable)
  set(text "${${text_variable}}")
  set(already "${${already_variable}}")
  while(text MATCHES "--@include ([a-z_]+)")
    set(piece "${CMAKE_MATCH_1}")
    set(content "")
    if(NOT already MATCHES "<${piece}>")
      string(APPEND already "<${piece}>")
      file(READ "${FOLDER}/shared/${piece}.lua" content)
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

file(GLOB scripts "${FOLDER}/*.lua")
set(entries "")
foreach(script IN LISTS scripts)
  get_filename_component(name "${script}" NAME_WE)
  file(READ "${script}" text)
  set(already "")
  compose(text already)
  string(APPEND entries "    {\"${name}\", R\"lua(${text})lua\"},\n")
endforeach()
file(WRITE "${OUT}" "// Generated from scripts/*.lua.
#include <array>

#include \"bull/scripts.hpp\"

namespace gaur::bull {

std::span<const ScriptText> script_texts() {
  static constexpr auto kTexts = std::to_array<ScriptText>({
${entries}  });
  return kTexts;
}

}  // namespace gaur::bull
")
