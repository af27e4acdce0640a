# What `pip install .` (scikit-build-core) and `cmake --install` place: the Python package holds library and program.
if(SKBUILD)
  install(TARGETS plaudit LIBRARY DESTINATION plaudit/lib)
  install(TARGETS plaudit_cli RUNTIME DESTINATION plaudit/bin)
  set_target_properties(plaudit plaudit_cli PROPERTIES
    INSTALL_RPATH "$ORIGIN;$ORIGIN/../lib;$ORIGIN/../../torch/lib;$ORIGIN/../../pyarrow;$ORIGIN/../../mujoco")
endif()
