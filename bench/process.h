// Other programs, and other copies of this one: each job is measured in a process of its own, so that its
// peak memory is its own.
#pragma once

#include <string>
#include <vector>

namespace plaudit::bench {

// A folder under the system's temporary one that goes away, with all that is in it, at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// Runs a program (path first, then its arguments) to its end on `threads` threads, its output into the file
// `log`. UserError (io) with the end of the log when it fails.
void run_process(const std::vector<std::string>& command, int threads, const std::string& log);

// This program, even where its file has been replaced since.
inline const std::string kThisProgram = "/proc/self/exe";
// The folder that holds it.
std::string program_folder();

// The Python of the environment whose packages this program uses; "" when there is none that imports all
// `modules`.
std::string python_with(const std::vector<std::string>& modules);

// The largest resident memory of this process so far.
double peak_mib();

}  // namespace plaudit::bench
