# Turns scenario files into the C file behind scenarios() of sim/config.h.
#
#     cmake -DFILES="sim/scenarios/clean.scn;sim/scenarios/lossy.scn" -DOUT=build/scenarios.c \
#           -P sim/embed_scenarios.cmake
#
# The order is the caller's. The about text is the first line of a file, which must be a comment.

if(NOT FILES OR NOT OUT)
    message(FATAL_ERROR "embed_scenarios: give -DFILES=a.scn;b.scn and -DOUT=file.c")
endif()

# A string literal may have 4,095 characters; the rest is room for what is escaped.
set(size_max 3500)

function(c_escape text out)
    string(REPLACE "\\" "\\\\" text "${text}")
    string(REPLACE "\"" "\\\"" text "${text}")
    string(REPLACE "?" "\\?" text "${text}") # no trigraphs
    set(${out} "${text}" PARENT_SCOPE)
endfunction()

set(rows "")
foreach(file IN LISTS FILES)
    get_filename_component(name "${file}" NAME_WE)
    file(SIZE "${file}" size)
    if(size GREATER size_max)
        message(FATAL_ERROR "embed_scenarios: ${file} has more than ${size_max} bytes; shorten it")
    endif()
    file(READ "${file}" text)
    if(NOT text MATCHES "^# *([^\n]+)\n")
        message(FATAL_ERROR "embed_scenarios: ${file} must begin with a comment on what it is about")
    endif()
    c_escape("${CMAKE_MATCH_1}" about)
    c_escape("${text}" text)
    string(REPLACE "\n" "\\n\"\n     \"" text "${text}")
    string(APPEND rows "    {\"${name}\",\n     \"${about}\",\n     \"${text}\"},\n")
endforeach()

file(WRITE "${OUT}.new" "/* Generated from sim/scenarios by sim/embed_scenarios.cmake. */
#include \"sim/config.h\"

static const struct scenario table[] = {
${rows}};

const struct scenario *scenarios(uint32_t *count)
{
    *count = sizeof table / sizeof table[0];
    return table;
}
")
file(RENAME "${OUT}.new" "${OUT}")
