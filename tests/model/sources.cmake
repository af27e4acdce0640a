plaudit_test(model
  resolve_test.cpp)
