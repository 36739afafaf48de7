# How every part of the tree is built: the flags all targets take, and one
# function a kind of target. Sources are found by folder, so a new file needs
# no line here; a new library or daemon is one line in the root CMakeLists.txt.

add_library(house INTERFACE)
target_compile_definitions(house INTERFACE _GNU_SOURCE)
target_compile_options(house INTERFACE -Wall -Wextra -Wshadow -Wstrict-prototypes
    -Wmissing-prototypes -Wvla -Wpointer-arith -Wwrite-strings -Wformat=2 -Werror
    -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=)
target_include_directories(house INTERFACE ${PROJECT_SOURCE_DIR})
target_link_options(house INTERFACE -Wl,--as-needed)

# Sanitizers go on everything that we compile, generated code included.
if(SANITIZE)
    add_compile_options(-fsanitize=${SANITIZE} -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${SANITIZE})
    if(SANITIZE MATCHES undefined)
        add_compile_options(-fno-sanitize-recover=undefined)
    endif()
    if(SANITIZE MATCHES thread)
        add_library(tsan_threads SHARED ${PROJECT_SOURCE_DIR}/cmake/tsan_threads.c)
        target_compile_definitions(tsan_threads PRIVATE _GNU_SOURCE)
        target_link_libraries(house INTERFACE -Wl,--no-as-needed tsan_threads -Wl,--as-needed)
    endif()
endif()

# libFuzzer steers by what the code under test covers.
if(FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# house_library(common/db common_base PkgConfig::libpq ...): every .c of a folder.
# Libraries after PRIVATE stay behind it.
function(house_library folder)
    cmake_parse_arguments(ARG "" "" "PUBLIC;PRIVATE" ${ARGN})
    string(REPLACE "/" "_" target ${folder})
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.c ${PROJECT_SOURCE_DIR}/${folder}/*.S)
    if(NOT sources)
        add_library(${target} INTERFACE)
        target_link_libraries(${target} INTERFACE house ${ARG_PUBLIC})
        return()
    endif()
    add_library(${target} STATIC ${sources})
    target_link_libraries(${target} PUBLIC house ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
    house_sql(${target} ${folder})
endfunction()

# house_sql(target folder): each .sql file below it becomes <name>_sql.h.
function(house_sql target folder)
    file(GLOB_RECURSE statements CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.sql)
    foreach(file ${statements})
        if(file MATCHES "/migrations/")
            continue()
        endif()
        get_filename_component(name ${file} NAME_WE)
        set(out ${CMAKE_BINARY_DIR}/sql/${folder}/${name}_sql.h)
        add_custom_command(OUTPUT ${out}
            COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/sql/${folder}
            COMMAND awk -f ${PROJECT_SOURCE_DIR}/tools/sql2c.awk ${file} > ${out}
            DEPENDS ${file} ${PROJECT_SOURCE_DIR}/tools/sql2c.awk VERBATIM)
        target_sources(${target} PRIVATE ${out})
        target_include_directories(${target} PUBLIC ${CMAKE_BINARY_DIR}/sql/${folder})
    endforeach()
endfunction()

# house_migrations(target folder): folder/migrations/NNNN_*.sql, embedded as one table.
function(house_migrations target folder)
    file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/migrations/*.sql)
    set(out ${CMAKE_BINARY_DIR}/sql/${folder}/migrations.h)
    add_custom_command(OUTPUT ${out}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/sql/${folder}
        COMMAND awk -f ${PROJECT_SOURCE_DIR}/tools/migrations2c.awk ${files} > ${out}
        DEPENDS ${files} ${PROJECT_SOURCE_DIR}/tools/migrations2c.awk VERBATIM)
    target_sources(${target} PRIVATE ${out})
    target_include_directories(${target} PUBLIC ${CMAKE_BINARY_DIR}/sql/${folder})
endfunction()

set(BUILD_VERSION "0.1.0" CACHE STRING "what the metric build_info says; a release sets it")

# house_daemon(order-service LIBRARIES...): folder/**/*.c as a library of parts, so
# that tests link them too, and main.c on top.
function(house_daemon folder)
    string(REPLACE "-" "_" parts ${folder}_parts)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.c)
    list(REMOVE_ITEM sources ${PROJECT_SOURCE_DIR}/${folder}/main.c)
    if(NOT sources)
        return()
    endif()
    add_library(${parts} STATIC ${sources})
    target_link_libraries(${parts} PUBLIC house ${ARGN})
    house_sql(${parts} ${folder})
    file(GLOB migrations ${PROJECT_SOURCE_DIR}/${folder}/migrations/*.sql)
    if(migrations)
        house_migrations(${parts} ${folder})
    endif()
    if(EXISTS ${PROJECT_SOURCE_DIR}/${folder}/main.c)
        add_executable(${folder} ${folder}/main.c)
        target_compile_definitions(${folder} PRIVATE BUILD_VERSION="${BUILD_VERSION}")
        target_link_libraries(${folder} PRIVATE ${parts})
        set_target_properties(${folder} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
    endif()
endfunction()

# Tests mirror the tree: tests/unit/common/db/test_x.c links common_db,
# tests/unit/order-service/... links order_service_parts. The first line of a test
# may name more:  /* links: common_http common_json */
function(house_tests kind)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${kind}/*test_*.c)
    foreach(source ${sources})
        file(RELATIVE_PATH path ${PROJECT_SOURCE_DIR}/tests/${kind} ${source})
        string(REGEX REPLACE "\\.c$" "" name ${path})
        string(REGEX REPLACE "[/-]" "_" name ${kind}_${name})
        file(STRINGS ${source} first LIMIT_COUNT 1)
        set(links)
        if(first MATCHES "links: ([A-Za-z0-9_: ]+)")
            string(REPLACE " " ";" links "${CMAKE_MATCH_1}")
        endif()
        if(path MATCHES "^common/([a-z]+)/")
            list(APPEND links common_${CMAKE_MATCH_1})
        elseif(path MATCHES "^(gateway|order-service|customer-service)/")
            string(REPLACE "-" "_" parts ${CMAKE_MATCH_1}_parts)
            list(APPEND links ${parts})
        endif()
        add_executable(${name} ${source})
        target_link_libraries(${name} PRIVATE house test_helpers ${links} PkgConfig::check)
        set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
        add_test(NAME ${name} COMMAND ${name})
        set_tests_properties(${name} PROPERTIES LABELS ${kind} TIMEOUT 600)
    endforeach()
endfunction()
