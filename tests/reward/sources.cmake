plaudit_test(reward
  normalize_test.cpp
  reward_model_test.cpp
  score_test.cpp
  strength_test.cpp)
