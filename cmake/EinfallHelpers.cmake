# One function makes every library; it alone names MLIR and LLVM, and only as the
# two shared libraries: a second (static) copy of MLIR in a process breaks it.

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)

if(EINFALL_MLIR)
  find_package(MLIR 22.1 REQUIRED CONFIG HINTS /usr/lib/llvm-22/lib/cmake/mlir)
  list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
  include(TableGen)
  include(AddLLVM)
  include(AddMLIR)
endif()

# Project code warns; MLIR's headers are system headers.
set(EINFALL_WARNINGS -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  list(APPEND EINFALL_WARNINGS -Wno-nullability-completeness)
endif()

set(EINFALL_SANITIZER_FLAGS)
if(EINFALL_SANITIZE)
  # The packaged LLVM is built without sanitizers: no container annotations across the border.
  set(EINFALL_SANITIZER_FLAGS -fsanitize=address,undefined -fno-sanitize=vptr,function -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
elseif(EINFALL_THREAD_SANITIZE)
  set(EINFALL_SANITIZER_FLAGS -fsanitize=thread -fno-omit-frame-pointer)
endif()

if(EINFALL_FUZZ)
  # Coverage of the libraries guides the fuzzer.
  list(APPEND EINFALL_SANITIZER_FLAGS -fsanitize=fuzzer-no-link)
endif()

# einfall_library(name SOURCES a.cpp .. USES other libs [MLIR]): a static library.
function(einfall_library name)
  cmake_parse_arguments(A "MLIR" "" "SOURCES;USES" ${ARGN})
  if(NOT A_SOURCES)
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${A_USES})
    return()
  endif()
  add_library(${name} STATIC ${A_SOURCES})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
  target_compile_options(${name} PRIVATE ${EINFALL_WARNINGS} ${EINFALL_SANITIZER_FLAGS})
  target_link_options(${name} PUBLIC ${EINFALL_SANITIZER_FLAGS})
  target_link_libraries(${name} PUBLIC ${A_USES} fmt::fmt Threads::Threads)
  if(A_MLIR)
    target_include_directories(${name} SYSTEM PUBLIC ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
    target_link_libraries(${name} PUBLIC MLIR LLVM)
  endif()
endfunction()

# einfall_program(name SOURCES .. USES ..): an executable in build/bin.
function(einfall_program name)
  cmake_parse_arguments(A "MLIR" "" "SOURCES;USES" ${ARGN})
  add_executable(${name} ${A_SOURCES})
  target_compile_options(${name} PRIVATE ${EINFALL_WARNINGS} ${EINFALL_SANITIZER_FLAGS})
  target_link_options(${name} PRIVATE ${EINFALL_SANITIZER_FLAGS})
  target_link_libraries(${name} PRIVATE ${A_USES})
  if(A_MLIR)
    target_include_directories(${name} SYSTEM PRIVATE ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
    target_link_libraries(${name} PRIVATE MLIR LLVM)
  endif()
endfunction()
