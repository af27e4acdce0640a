plaudit_test(feedback
  judges_test.cpp
  lexicon_judge_test.cpp
  lexicon_sentiment_test.cpp
  lexicon_test.cpp
  pair_labels_test.cpp)
