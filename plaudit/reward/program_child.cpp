#include "plaudit/reward/program_child.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "plaudit/core/errors.h"

namespace plaudit::program {

const char* const kChildText = R"PY(
import ctypes, json, math, mmap, os, struct, sys, types, warnings
import numpy as np
import numpy.linalg

warnings.simplefilter("ignore")  # there is nowhere to print to
np.seterr(all="ignore")

def receive():
    def exactly(n):
        out = b""
        while len(out) < n:
            part = os.read(0, n - len(out))
            if not part: os._exit(0)
            out += part
        return out
    return exactly(struct.unpack("<I", exactly(4))[0])

def send(value):
    data = json.dumps(value).encode()
    data = struct.pack("<I", len(data)) + data
    while data: data = data[os.write(1, data):]

shared = np.frombuffer(mmap.mmap(3, 8 << 20), dtype=np.float64)
filter_text = receive()
program = json.loads(receive())

class Filter(ctypes.Structure):
    _fields_ = [("count", ctypes.c_ushort), ("code", ctypes.c_void_p)]

libc = ctypes.CDLL(None, use_errno=True)
code = ctypes.create_string_buffer(filter_text, len(filter_text))
argument = Filter(len(filter_text) // 8, ctypes.cast(code, ctypes.c_void_p))
zero = ctypes.c_ulong(0)
if libc.prctl(38, ctypes.c_ulong(1), zero, zero, zero) != 0 or libc.prctl(22, ctypes.c_ulong(2), ctypes.byref(argument), zero, zero) != 0:
    os._exit(3)
send({"sealed": True})

def kind_of(error):
    text = str(error)
    if isinstance(error, SyntaxError): return "syntax"
    if isinstance(error, (ImportError, OSError)): return "forbidden"
    if isinstance(error, (NameError, AttributeError)): return "name"
    if isinstance(error, TypeError): return "type"
    if isinstance(error, RecursionError): return "fuel"
    if isinstance(error, MemoryError): return "memory"
    words = ("broadcast", "shape", "dimension", "mismatch", "reshape")
    if isinstance(error, ValueError) and any(word in text for word in words): return "shape"
    return "value"

def fault(error, row=0):
    line = getattr(error, "lineno", None) if isinstance(error, SyntaxError) else None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<reward>": line = trace.tb_lineno
        trace = trace.tb_next
    return {"kind": kind_of(error), "line": line or 1, "message": (type(error).__name__ + ": " + str(error))[:400], "row": row}

def returned(message, row, kind="return"):
    return {"kind": kind, "line": entry.__code__.co_firstlineno, "message": message, "row": row}

names = {"np": np, "math": math, "__name__": "reward"}
try:
    exec(compile(program["source"], "<reward>", "exec"), names)
    entry = names.get("compute_dense_reward")
    if not isinstance(entry, types.FunctionType):
        send({"kind": "signature", "line": 1, "message": "the program defines no function compute_dense_reward", "row": 0})
        os._exit(0)
    send({})
except BaseException as error:
    send(fault(error))
    os._exit(0)

def is_number(x):
    return isinstance(x, (bool, int, float, np.number, np.bool_)) or (isinstance(x, np.ndarray) and x.ndim == 0)

def answer(batch):
    components = []
    for row in range(batch["rows"]):
        at = row * batch["width"]
        def take(shape):
            nonlocal at
            n = math.prod(shape)
            part = shared[at:at + n]
            at += n
            return part.reshape(shape).copy() if shape else float(part[0])
        action = take([batch["action"]])
        extra = [take([batch["obs"]])] if batch["obs"] >= 0 else []
        me = types.SimpleNamespace()
        for path, query, shape in batch["bindings"]:
            value = take(shape)
            owner = me
            parts = path.split(".")[1:]
            for part in parts[:-1]:
                if not hasattr(owner, part): setattr(owner, part, types.SimpleNamespace())
                owner = getattr(owner, part)
            setattr(owner, parts[-1], (lambda *a, _value=value, **k: _value) if query else value)
        try:
            value = entry(me, action, *extra)
            named = {}
            if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], dict): value, named = value
            if not is_number(value) or not all(isinstance(k, str) and is_number(v) for k, v in named.items()):
                return returned("the reward must be a number or a pair (number, dict of numbers)", row)
            value, named = float(value), {k: float(v) for k, v in named.items()}
            if not math.isfinite(value) or not all(map(math.isfinite, named.values())):
                return returned("the reward is not finite", row, "value")
        except BaseException as error:
            return fault(error, row)
        components.append([value, named])
    return {"rewards": components}

while True: send(answer(json.loads(receive())))
)PY";

namespace {

[[noreturn]] void refuse(const std::string& message) {
  fail(ErrorKind::io, "reward.program_process", message);
}

struct FilterContext {
  scmp_filter_ctx context = seccomp_init(SCMP_ACT_KILL_PROCESS);
  ~FilterContext() {
    if (context != nullptr) seccomp_release(context);
  }
};

// Between fork and exec: system calls only, for other threads may hold locks.
[[noreturn]] void become_child(int in, int out, int shared, char* const* arguments,
                               char* const* environment) {
  const auto limit = [](auto resource, rlim_t value) {
    const rlimit both = {value, value};
    if (setrlimit(resource, &both) != 0) _exit(4);
  };
  // Copies above the targets first, so that none overwrites another.
  const int high_in = fcntl(in, F_DUPFD, 10), high_out = fcntl(out, F_DUPFD, 10),
            high_shared = fcntl(shared, F_DUPFD, 10);
  const int null = open("/dev/null", O_WRONLY);
  if (dup2(null, 2) < 0 || dup2(high_in, 0) < 0 || dup2(high_out, 1) < 0 || dup2(high_shared, 3) < 0)
    _exit(4);
  if (syscall(SYS_close_range, 4U, ~0U, 0U) != 0) {
    for (int fd = 4; fd < 1024; ++fd) close(fd);
  }
  const int names = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
  if (unshare(names) != 0 && unshare(CLONE_NEWUSER | names) != 0) {
    // Not permitted here: the filter of system calls closes the network all the same.
  }
  limit(RLIMIT_AS, rlim_t{1} << 30);
  limit(RLIMIT_CPU, 60);
  limit(RLIMIT_NOFILE, 8);
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NPROC, 0);
  execvpe(arguments[0], arguments, environment);
  _exit(5);
}

}  // namespace

std::string seccomp_filter() {
  const FilterContext filter;
  if (filter.context == nullptr || prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0)
    refuse("this system has no seccomp, which the process tier needs");
  int bad = 0;
  for (const int call :
       {SCMP_SYS(futex), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk),
        SCMP_SYS(clock_gettime), SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn)})
    bad |= seccomp_rule_add(filter.context, SCMP_ACT_ALLOW, call, 0);
  // Looking for files fails instead of killing: imports and CPython's own error messages look for some.
  for (const int call : {SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(stat), SCMP_SYS(lstat),
                         SCMP_SYS(newfstatat), SCMP_SYS(access), SCMP_SYS(readlink), SCMP_SYS(getcwd)})
    bad |= seccomp_rule_add(filter.context, SCMP_ACT_ERRNO(EACCES), call, 0);
  bad |= seccomp_rule_add(filter.context, SCMP_ACT_ALLOW, SCMP_SYS(read), 1, SCMP_A0(SCMP_CMP_EQ, 0, 0));
  bad |= seccomp_rule_add(filter.context, SCMP_ACT_ALLOW, SCMP_SYS(write), 1, SCMP_A0(SCMP_CMP_EQ, 1, 0));
  bad |= seccomp_rule_add(filter.context, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                          SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  const int file = memfd_create("filter", MFD_CLOEXEC);
  if (bad != 0 || file < 0 || seccomp_export_bpf(filter.context, file) != 0) {
    if (file >= 0) close(file);
    refuse("the filter of system calls cannot be built");
  }
  std::string out(static_cast<size_t>(lseek(file, 0, SEEK_END)), '\0');
  const auto n = pread(file, out.data(), out.size(), 0);
  close(file);
  if (n != static_cast<ssize_t>(out.size())) refuse("the filter of system calls cannot be read");
  return out;
}

Child start_child(const std::string& python) {
  int in[2], out[2];
  const int shared = memfd_create("states", MFD_CLOEXEC);
  if (shared < 0 || ftruncate(shared, kSharedBytes) != 0 || pipe2(in, O_CLOEXEC) != 0 ||
      pipe2(out, O_CLOEXEC) != 0)
    refuse(std::string("cannot make pipes: ") + std::strerror(errno));
  void* memory = mmap(nullptr, kSharedBytes, PROT_READ | PROT_WRITE, MAP_SHARED, shared, 0);
  if (memory == MAP_FAILED) refuse("cannot share memory");
  std::string name = python, flag_isolated = "-I", flag_code = "-c", text = kChildText;
  char* arguments[] = {name.data(), flag_isolated.data(), flag_code.data(), text.data(), nullptr};
  // One thread, no writing of bytecode; nothing of the caller's environment but the search path.
  const char* search = std::getenv("PATH");
  std::string path = std::string("PATH=") + (search != nullptr ? search : "/usr/bin:/bin");
  std::string threads = "OPENBLAS_NUM_THREADS=1", omp = "OMP_NUM_THREADS=1", mkl = "MKL_NUM_THREADS=1";
  char* environment[] = {path.data(), threads.data(), omp.data(), mkl.data(), nullptr};
  const pid_t pid = fork();
  if (pid == 0) become_child(in[0], out[1], shared, arguments, environment);
  close(in[0]);
  close(out[1]);
  close(shared);
  if (pid < 0) {
    close(in[1]);
    close(out[0]);
    munmap(memory, kSharedBytes);
    refuse("cannot start a process");
  }
  return {pid, in[1], out[0], memory};
}

}  // namespace plaudit::program
