plaudit_test(reward
  gaussian_heads_test.cpp
  normalize_test.cpp
  reward_model_test.cpp
  score_test.cpp
  strength_test.cpp)
