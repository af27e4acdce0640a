# LibTorch, Arrow and MuJoCo come from the Python wheels, so that C++ and Python share one copy; the rest from the system.

execute_process(
  COMMAND ${PLAUDIT_PYTHON} -c "import importlib.util as u, torch, pyarrow; print(torch.utils.cmake_prefix_path)
print(pyarrow.__path__[0]); print(u.find_spec('mujoco').submodule_search_locations[0])"
  OUTPUT_VARIABLE PLAUDIT_WHEELS RESULT_VARIABLE PLAUDIT_WHEELS_RESULT OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT PLAUDIT_WHEELS_RESULT EQUAL 0)
  message(FATAL_ERROR "${PLAUDIT_PYTHON} cannot find torch, pyarrow and mujoco. Run `make build`, which installs them into "
                      ".venv, or pass -DPLAUDIT_PYTHON=/path/to/python of an environment that holds them.")
endif()
string(REPLACE "\n" ";" PLAUDIT_WHEELS "${PLAUDIT_WHEELS}")
list(GET PLAUDIT_WHEELS 0 PLAUDIT_TORCH_CMAKE)
list(GET PLAUDIT_WHEELS 1 PLAUDIT_PYARROW)
list(GET PLAUDIT_WHEELS 2 PLAUDIT_MUJOCO)
list(APPEND CMAKE_PREFIX_PATH ${PLAUDIT_TORCH_CMAKE})

find_package(Torch REQUIRED)
find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(WEBP REQUIRED IMPORTED_TARGET libwebpmux libwebp)  # films of control tasks
pkg_check_modules(EGL REQUIRED egl)  # its headers; the library is opened when a picture is drawn
pkg_check_modules(UTF8PROC REQUIRED libutf8proc)  # linked by path: its compile flag would split the precompiled header

# Arrow's C++ libraries carry their version in the file name inside the wheel.
function(plaudit_wheel_library name)
  file(GLOB library ${PLAUDIT_PYARROW}/lib${name}.so.*)
  list(SORT library)
  list(GET library 0 library)
  add_library(plaudit_${name} SHARED IMPORTED GLOBAL)
  set_target_properties(plaudit_${name} PROPERTIES IMPORTED_LOCATION ${library}
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${PLAUDIT_PYARROW}/include INTERFACE_INCLUDE_DIRECTORIES ${PLAUDIT_PYARROW}/include)
endfunction()
plaudit_wheel_library(arrow)
plaudit_wheel_library(parquet)

# MuJoCo's include folder is given to the few files that need it (plaudit_uses_mujoco), not to all.
file(GLOB library ${PLAUDIT_MUJOCO}/libmujoco.so.*)
add_library(plaudit_mujoco SHARED IMPORTED GLOBAL)
set_target_properties(plaudit_mujoco PROPERTIES IMPORTED_LOCATION ${library})
function(plaudit_uses_mujoco target)
  set_source_files_properties(${ARGN} TARGET_DIRECTORY ${target} PROPERTIES INCLUDE_DIRECTORIES ${PLAUDIT_MUJOCO}/include)
endfunction()

# HDF5 from the system; data sets of D4RL and Minari are read and written with it. Its include folder goes to one file.
option(PLAUDIT_HDF5 "read and write HDF5 data sets" ON)
if(PLAUDIT_HDF5)
  pkg_search_module(HDF5 hdf5-serial hdf5)
  if(NOT HDF5_FOUND)
    message(FATAL_ERROR "The HDF5 C library is needed for data sets of D4RL and Minari. Install it (Debian, Ubuntu: "
                        "libhdf5-dev; `make setup` does), or leave it out with -DPLAUDIT_HDF5=OFF.")
  endif()
endif()
