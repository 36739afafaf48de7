# proto/**.proto as C (protoc-c) and as one descriptor set, embedded as data: routes,
# roles, reflection and OpenAPI are read from it. Nothing made here is committed.
set(GENERATED ${CMAKE_BINARY_DIR}/proto)
find_program(PROTOC protoc REQUIRED)
find_program(PROTOC_C protoc-c REQUIRED)
find_path(WELL_KNOWN google/protobuf/descriptor.proto REQUIRED)

file(GLOB_RECURSE PROTO_FILES RELATIVE ${PROJECT_SOURCE_DIR}/proto CONFIGURE_DEPENDS
    ${PROJECT_SOURCE_DIR}/proto/*.proto)
list(FILTER PROTO_FILES EXCLUDE REGEX "^(temporal|opentelemetry)/") # not ours to serve: below
set(PROTO_INPUTS ${PROTO_FILES} google/protobuf/timestamp.proto google/protobuf/duration.proto
    google/protobuf/any.proto google/protobuf/empty.proto google/protobuf/wrappers.proto
    google/protobuf/descriptor.proto)
set(PROTO_C)
foreach(proto ${PROTO_INPUTS})
    string(REGEX REPLACE "\\.proto$" ".pb-c.c" c ${proto})
    list(APPEND PROTO_C ${GENERATED}/${c})
endforeach()
list(TRANSFORM PROTO_FILES PREPEND ${PROJECT_SOURCE_DIR}/proto/ OUTPUT_VARIABLE PROTO_DEPENDS)

file(MAKE_DIRECTORY ${GENERATED})
add_custom_command(OUTPUT ${PROTO_C}
    COMMAND ${PROTOC_C} -I${PROJECT_SOURCE_DIR}/proto -I${WELL_KNOWN} --c_out=${GENERATED} ${PROTO_INPUTS}
    DEPENDS ${PROTO_DEPENDS} VERBATIM)
add_custom_command(OUTPUT ${GENERATED}/descriptors.pb
    COMMAND ${PROTOC} -I${PROJECT_SOURCE_DIR}/proto -I${WELL_KNOWN} --include_imports --include_source_info
            --descriptor_set_out=${GENERATED}/descriptors.pb ${PROTO_FILES}
    DEPENDS ${PROTO_DEPENDS} VERBATIM)
set_source_files_properties(${PROJECT_SOURCE_DIR}/cmake/descriptors.S PROPERTIES
    OBJECT_DEPENDS ${GENERATED}/descriptors.pb
    COMPILE_DEFINITIONS "DESCRIPTORS_FILE=\"${GENERATED}/descriptors.pb\"")

add_library(contracts STATIC ${PROTO_C} ${PROJECT_SOURCE_DIR}/cmake/descriptors.S)
target_include_directories(contracts SYSTEM PUBLIC ${GENERATED})
target_link_libraries(contracts PUBLIC PkgConfig::libprotobuf-c)

# proto/temporal, proto/opentelemetry: only common/temporal and common/telemetry speak them, and no
# descriptor set names them. contracts_of_others(temporal): target 'temporal_contracts'.
function(contracts_of_others folder)
    file(GLOB protos RELATIVE ${PROJECT_SOURCE_DIR}/proto CONFIGURE_DEPENDS
        ${PROJECT_SOURCE_DIR}/proto/${folder}/*.proto)
    set(c)
    foreach(proto ${protos})
        string(REGEX REPLACE "\\.proto$" ".pb-c.c" file ${proto})
        list(APPEND c ${GENERATED}/${file})
    endforeach()
    list(TRANSFORM protos PREPEND ${PROJECT_SOURCE_DIR}/proto/ OUTPUT_VARIABLE depends)
    add_custom_command(OUTPUT ${c}
        COMMAND ${PROTOC_C} -I${PROJECT_SOURCE_DIR}/proto --c_out=${GENERATED} ${protos}
        DEPENDS ${depends} VERBATIM)
    add_library(${folder}_contracts STATIC ${c})
    target_include_directories(${folder}_contracts SYSTEM PUBLIC ${GENERATED})
    target_link_libraries(${folder}_contracts PUBLIC PkgConfig::libprotobuf-c)
endfunction()
contracts_of_others(temporal)
contracts_of_others(opentelemetry)

# tests/proto: contracts that only tests serve, with a descriptor set of their own as a file.
file(GLOB_RECURSE TEST_PROTOS RELATIVE ${PROJECT_SOURCE_DIR}/tests/proto CONFIGURE_DEPENDS
    ${PROJECT_SOURCE_DIR}/tests/proto/*.proto)
set(TEST_PROTO_C)
foreach(proto ${TEST_PROTOS})
    string(REGEX REPLACE "\\.proto$" ".pb-c.c" c ${proto})
    list(APPEND TEST_PROTO_C ${GENERATED}/${c})
endforeach()
if(TEST_PROTOS)
    list(TRANSFORM TEST_PROTOS PREPEND ${PROJECT_SOURCE_DIR}/tests/proto/ OUTPUT_VARIABLE TEST_PROTO_DEPENDS)
    add_custom_command(OUTPUT ${TEST_PROTO_C} ${GENERATED}/test_descriptors.pb
        COMMAND ${PROTOC_C} -I${PROJECT_SOURCE_DIR}/tests/proto -I${PROJECT_SOURCE_DIR}/proto
                -I${WELL_KNOWN} --c_out=${GENERATED} ${TEST_PROTOS}
        COMMAND ${PROTOC} -I${PROJECT_SOURCE_DIR}/tests/proto -I${PROJECT_SOURCE_DIR}/proto
                -I${WELL_KNOWN} --include_imports --include_source_info
                --descriptor_set_out=${GENERATED}/test_descriptors.pb ${TEST_PROTOS}
                grpc/health/v1/health.proto grpc/reflection/v1/reflection.proto
        DEPENDS ${TEST_PROTO_DEPENDS} ${PROTO_DEPENDS} VERBATIM)
    add_library(test_contracts STATIC EXCLUDE_FROM_ALL ${TEST_PROTO_C})
    target_link_libraries(test_contracts PUBLIC contracts)
    target_compile_definitions(test_contracts PUBLIC
        TEST_DESCRIPTORS="${GENERATED}/test_descriptors.pb")
endif()
