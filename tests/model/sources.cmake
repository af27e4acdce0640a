plaudit_test(model
  attention_test.cpp
  decode_linear_test.cpp
  project_test.cpp
  resolve_test.cpp
  sampling_test.cpp
  token_logps_test.cpp
  transformer_test.cpp)

  answer_batch_test.cpp
  resolve_test.cpp)
  decode_linear_test.cpp
  generate_test.cpp
  kv_cache_test.cpp
  resolve_test.cpp
  sampling_test.cpp)
add_executable(model_tool ${CMAKE_CURRENT_SOURCE_DIR}/tools/model_tool.cpp)
target_link_libraries(model_tool PRIVATE plaudit plaudit_flags)
target_precompile_headers(model_tool REUSE_FROM plaudit)
