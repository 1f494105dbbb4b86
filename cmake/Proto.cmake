# portunus_proto(<file.proto>…): C++ and gRPC sources generated under the build folder.
function(portunus_proto)
  set(out "${CMAKE_BINARY_DIR}/proto")
  file(MAKE_DIRECTORY "${out}")
  set(sources "")
  find_program(PROTOC protoc REQUIRED)
  find_program(GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)
  foreach(file IN LISTS ARGN)
    string(REGEX REPLACE "\\.proto$" "" stem "${file}")
    set(generated "${out}/${stem}.pb.cc" "${out}/${stem}.pb.h"
                  "${out}/${stem}.grpc.pb.cc" "${out}/${stem}.grpc.pb.h")
    add_custom_command(
      OUTPUT ${generated}
      COMMAND ${PROTOC} -I "${CMAKE_SOURCE_DIR}/proto" --cpp_out=${out} --grpc_out=${out}
              --plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN} "${CMAKE_SOURCE_DIR}/proto/${file}"
      DEPENDS "${CMAKE_SOURCE_DIR}/proto/${file}"
      VERBATIM)
    list(APPEND sources ${generated})
  endforeach()
  portunus_check_edges(proto)
  add_library(portunus_proto STATIC ${sources})
  target_include_directories(portunus_proto SYSTEM PUBLIC "${out}")
  target_link_libraries(portunus_proto PUBLIC gRPC::grpc++ protobuf::libprotobuf)
endfunction()
