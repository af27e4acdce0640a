// Expects a UserError of a kind whose message holds some texts.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

#include "plaudit/core/errors.h"

namespace plaudit {

template <class Call>
void expect_error(ErrorKind kind, std::initializer_list<const char*> parts, Call&& call) {
  try {
    call();
    ADD_FAILURE() << "no error";
  } catch (const UserError& error) {
    const auto message = message_of(error);
    EXPECT_EQ(to_string(error.kind()), to_string(kind)) << message;
    for (const char* part : parts)
      EXPECT_NE(message.find(part), std::string::npos) << "'" << part << "' is not in: " << message;
  }
}

}  // namespace plaudit
