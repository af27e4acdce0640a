plaudit_test(run
  recipe_test.cpp
  report_test.cpp
  runner_test.cpp)
