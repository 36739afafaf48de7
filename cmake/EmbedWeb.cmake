# web/** as data in the gateway: a table of path, bytes and size (gateway/extra/static_files.h).
file(GLOB_RECURSE web_files RELATIVE ${PROJECT_SOURCE_DIR}/web CONFIGURE_DEPENDS
    ${PROJECT_SOURCE_DIR}/web/*)
set(web_bytes "")
set(web_table "")
set(web_depends "")
set(number 0)
foreach(file ${web_files})
    string(APPEND web_bytes
        "path${number}: .asciz \"/${file}\"\nbytes${number}: .incbin \"${PROJECT_SOURCE_DIR}/web/${file}\"\n"
        "end${number}: .byte 0\n")
    string(APPEND web_table
        ".quad path${number}\n.quad bytes${number}\n.quad end${number} - bytes${number}\n")
    list(APPEND web_depends ${PROJECT_SOURCE_DIR}/web/${file})
    math(EXPR number "${number} + 1")
endforeach()
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/web_files.S @ONLY CONTENT
"    .section .rodata
@web_bytes@
    .section .data.rel.ro, \"aw\"
    .balign 8
    .global embedded_files
embedded_files:
@web_table@
    .quad 0
    .quad 0
    .quad 0
    .section .note.GNU-stack,\"\",%progbits
")
set_source_files_properties(${CMAKE_BINARY_DIR}/web_files.S PROPERTIES OBJECT_DEPENDS "${web_depends}")
if(TARGET gateway_parts)
    target_sources(gateway_parts PRIVATE ${CMAKE_BINARY_DIR}/web_files.S)
endif()
