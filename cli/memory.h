#pragma once

namespace plaudit::cli {

// Keeps freed memory for the next tensor, in huge pages. A training step allocates and frees the same few
// gigabytes of activations again and again; given back to the system, each of their pages is cleared and
// mapped anew. Call before the first tensor. Does nothing where the C library is not glibc.
void keep_memory();

}  // namespace plaudit::cli
