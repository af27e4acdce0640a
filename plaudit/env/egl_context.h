// An OpenGL context without a window or a display server, by EGL.
//
// libEGL is opened at run time, when the first context is made: nothing is linked, and a machine without it
// does all but pictures.
#pragma once

#include <memory>
#include <string>

namespace plaudit {

// Tried in this order: the graphics devices that EGL lists, Mesa without a surface (its software renderer
// needs no graphics card), the default display. UserError (io), with what to install, where none of them
// gives a context.
class EglContext {
 public:
  EglContext();
  ~EglContext();
  EglContext(const EglContext&) = delete;
  EglContext& operator=(const EglContext&) = delete;

  // While one lives, GL calls of this thread go to the context; then to the one before. A context is current
  // in one thread at a time.
  class Current {
   public:
    explicit Current(const EglContext& context);
    ~Current();
    Current(const Current&) = delete;
    Current& operator=(const Current&) = delete;

   private:
    void* own_display_;
    void *display_, *draw_, *read_, *context_;  // of before
  };

 private:
  std::shared_ptr<void> display_;  // all contexts of one display share it; the last one closes it
  void* context_ = nullptr;
};

// Throws the error of EglContext: `what` is missing.
[[noreturn]] void refuse_no_gl(const std::string& what);

}  // namespace plaudit
