plaudit_test(eval
  best_of_n_test.cpp
  interval_test.cpp
  preference_metrics_test.cpp
  sequence_kl_test.cpp)
