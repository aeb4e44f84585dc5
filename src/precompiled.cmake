# The headers that take longest to read are read once for all libraries, and once for all tests. The tidy preset goes
# without, so that no source leans on what others include.

# taskd_large_headers(name HEADERS ... LIBRARIES ...): defines such a set.
function(taskd_large_headers name)
    cmake_parse_arguments(arg "" "" "HEADERS;LIBRARIES" ${ARGN})
    file(GENERATE OUTPUT ${name}.cpp CONTENT "")
    add_library(${name} OBJECT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
    target_compile_features(${name} PUBLIC cxx_std_20)
    target_link_libraries(${name} PRIVATE taskd::options ${arg_LIBRARIES})
    target_precompile_headers(${name} PRIVATE ${arg_HEADERS})
endfunction()

# taskd_use_large_headers(target set)
function(taskd_use_large_headers target set)
    if(TASKD_PRECOMPILE)
        target_precompile_headers(${target} REUSE_FROM ${set})
    endif()
endfunction()
