plaudit_test(core
  call_test.cpp
  errors_test.cpp)
