// gguf_digests FILE: one JSON line {"name", "shape", "type", "sha256"} per tensor of a GGUF file; the digest
// is that of its values in f32, so that a test can compare every bit without moving gigabytes.
#include <ATen/ATen.h>

#include <cstdio>

#include "plaudit/core/gguf.h"
#include "plaudit/core/sha256.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto file = plaudit::GgufFile::open(argv[1]);
  for (const auto& name : file->names()) {
    const auto values = file->tensor(name, at::kFloat);
    plaudit::Sha256 sum;
    sum.update(values.const_data_ptr(), static_cast<size_t>(values.numel()) * sizeof(float));
    const plaudit::Json line = {
        {"name", name}, {"shape", file->sizes(name)}, {"type", file->type(name)}, {"sha256", sum.hex()}};
    std::puts(line.dump().c_str());
  }
}
