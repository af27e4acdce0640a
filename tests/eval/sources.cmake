plaudit_test(eval
  best_of_n_test.cpp
  interval_test.cpp)
