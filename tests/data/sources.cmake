plaudit_test(data
  answers_test.cpp
  bucketing_test.cpp
  dialogue_test.cpp
  packing_test.cpp
  text_test.cpp
  tokenize_pair_test.cpp)
