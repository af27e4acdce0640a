// What reading and writing HDF5 share: handles that close themselves, and what the library says went wrong.
#pragma once

#include <hdf5.h>

#include <string>

namespace plaudit::hdf5 {

// An open handle of the library, closed at the end of its scope.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle(hid_t id, Close close) : id_(id), close_(close) {}
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  operator hid_t() const { return id_; }

 private:
  hid_t id_;
  Close close_;
};

// The library prints its errors on its own unless it is told not to.
inline void quiet() {
  static const bool done = H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr) >= 0;
  (void)done;
}

// The innermost message on the library's stack of errors: what really went wrong.
inline std::string last_error() {
  std::string text;
  const auto take = [](unsigned n, const H5E_error2_t* error, void* out) -> herr_t {
    if (n == 0 && error->desc != nullptr) *static_cast<std::string*>(out) = error->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take, &text);
  return text.empty() ? "unknown error" : text;
}

inline std::string rooted(const std::string& name) {
  return name.empty() ? "/" : "/" + name;
}

inline hid_t id_of(int64_t file) {
  return static_cast<hid_t>(file);
}

}  // namespace plaudit::hdf5
