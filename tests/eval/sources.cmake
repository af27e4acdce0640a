plaudit_test(eval
  best_of_n_test.cpp
  filtered_r2_test.cpp
  interval_test.cpp
  pass_at_k_test.cpp
  preference_metrics_test.cpp
  sequence_kl_test.cpp)
