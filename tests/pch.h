// Precompiled header of the tests: what plaudit's holds, and GoogleTest.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plaudit/pch.h"
