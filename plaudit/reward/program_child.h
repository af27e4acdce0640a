// The child of ProgramProcess: its Python text, its system calls, its start.
#pragma once

#include <sys/types.h>

#include <string>

namespace plaudit::program {

inline constexpr size_t kSharedBytes = 8 << 20;

struct Child {
  pid_t pid;
  int to_child;    // write end
  int from_child;  // read end
  void* shared;    // kSharedBytes, seen by both
};

// The filter of system calls as the kernel takes it (struct sock_filter[]). Kind io without seccomp.
std::string seccomp_filter();

// Starts `python` with the text below: limits of resources, no network where the kernel permits it. Kind io.
Child start_child(const std::string& python);

// Reads the filter and the program, seals itself, answers batches.
extern const char* const kChildText;

}  // namespace plaudit::program
