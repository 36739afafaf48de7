# Target grpc_core: the gRPC core without TLS (docs/adr/0017-a-small-daemon.md). Release builds take
# it from its archives: of libgrpc, absl, upb and libstdc++ only what is called gets into a daemon,
# which spares each 3 MiB and a hundred relocated libraries. Sanitizers want the shared ones, whose
# code they know not to judge; and tests link faster with them.
pkg_check_modules(grpc_unsecure REQUIRED grpc_unsecure)
set(from_archives ON)
if(SANITIZE OR FUZZ OR CMAKE_BUILD_TYPE STREQUAL Debug)
    set(from_archives OFF)
endif()
option(GRPC_STATIC "link the gRPC core from its archives" ${from_archives})
add_library(grpc_core INTERFACE)

# What the C++ of these archives needs is left to the archives of the compiler, too.
function(grpc_core_from_archives)
    set(archives)
    foreach(name ${grpc_unsecure_STATIC_LIBRARIES} upb address_sorting cares) # the .pc forgets these
        if(name MATCHES "^(grpc_unsecure|gpr|upb|address_sorting|cares|absl_.*)$")
            find_library(archive_${name} lib${name}.a REQUIRED)
            list(APPEND archives ${archive_${name}})
        endif()
    endforeach()
    execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=libstdc++.a
        OUTPUT_VARIABLE libstdcxx OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
    list(REMOVE_DUPLICATES archives)
    target_link_libraries(grpc_core INTERFACE "$<LINK_GROUP:RESCAN,${archives}>" ${libstdcxx} z m resolv)
    target_link_options(grpc_core INTERFACE -static-libgcc -Wl,--gc-sections)
endfunction()

if(GRPC_STATIC)
    grpc_core_from_archives()
else()
    find_library(GRPC_UNSECURE_LIBRARY grpc_unsecure REQUIRED) # its .pc would name 60 more
    find_library(GPR_LIBRARY gpr REQUIRED)
    target_link_libraries(grpc_core INTERFACE ${GRPC_UNSECURE_LIBRARY} ${GPR_LIBRARY})
endif()
