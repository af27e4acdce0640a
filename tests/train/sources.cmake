plaudit_test(train
  adamw_test.cpp
  bad_batch_test.cpp
  batches_test.cpp
  checkpoint_test.cpp
  loop_test.cpp
  preference_losses_test.cpp
  preference_test.cpp
  reference_test.cpp
  resume_test.cpp
  reward_test.cpp
  schedule_test.cpp
  supervised_test.cpp)

# The process that resume_test.cpp kills.
add_executable(train_toy_child train/toy_child.cpp)
target_link_libraries(train_toy_child PRIVATE plaudit plaudit_flags)
target_precompile_headers(train_toy_child REUSE_FROM plaudit)
add_dependencies(test_train train_toy_child)
target_compile_definitions(test_train PRIVATE PLAUDIT_TOY_CHILD="$<TARGET_FILE:train_toy_child>")
