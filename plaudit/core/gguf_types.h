// The types of values in the metadata of a GGUF file, as its specification numbers them.
#pragma once

#include <cstdint>

namespace plaudit::gguf {

enum ValueType : int32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64 };

}  // namespace plaudit::gguf
