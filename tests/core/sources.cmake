plaudit_test(core
  call_test.cpp
  conform_test.cpp
  errors_test.cpp
  hash_test.cpp
  options_test.cpp
  rng_test.cpp)
