plaudit_test(data
  bucketing_test.cpp
  decontaminate_test.cpp
  dialogue_test.cpp
  packing_test.cpp
  text_test.cpp
  tokenize_pair_test.cpp)
