#include "plaudit/env/egl_context.h"

#include <dlfcn.h>

#define EGL_NO_X11  // its headers of older systems would want those of X11
#include <EGL/egl.h>
#include <EGL/eglext.h>

#include <array>
#include <map>
#include <mutex>
#include <string_view>
#include <vector>

#include "plaudit/core/errors.h"

namespace plaudit {
namespace {

// What is called of libEGL.
struct EglFunctions {
  decltype(&eglBindAPI) bind_api;
  decltype(&eglChooseConfig) choose_config;
  decltype(&eglCreateContext) create_context;
  decltype(&eglDestroyContext) destroy_context;
  decltype(&eglGetCurrentContext) current_context;
  decltype(&eglGetCurrentDisplay) current_display;
  decltype(&eglGetCurrentSurface) current_surface;
  decltype(&eglGetDisplay) default_display;
  decltype(&eglGetProcAddress) address;
  decltype(&eglInitialize) initialize;
  decltype(&eglMakeCurrent) make_current;
  decltype(&eglQueryString) query_string;
  decltype(&eglTerminate) terminate;
};

template <class Function>
void find_symbol(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (function == nullptr) refuse_no_gl(std::string("libEGL.so.1 has no ") + name);
}

EglFunctions open_egl() {
  // Global, because MuJoCo looks for eglGetProcAddress among what is loaded; never closed, because it keeps
  // what it found.
  void* library = dlopen("libEGL.so.1", RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) refuse_no_gl(dlerror());
  EglFunctions f{};
  find_symbol(library, "eglBindAPI", f.bind_api);
  find_symbol(library, "eglChooseConfig", f.choose_config);
  find_symbol(library, "eglCreateContext", f.create_context);
  find_symbol(library, "eglDestroyContext", f.destroy_context);
  find_symbol(library, "eglGetCurrentContext", f.current_context);
  find_symbol(library, "eglGetCurrentDisplay", f.current_display);
  find_symbol(library, "eglGetCurrentSurface", f.current_surface);
  find_symbol(library, "eglGetDisplay", f.default_display);
  find_symbol(library, "eglGetProcAddress", f.address);
  find_symbol(library, "eglInitialize", f.initialize);
  find_symbol(library, "eglMakeCurrent", f.make_current);
  find_symbol(library, "eglQueryString", f.query_string);
  find_symbol(library, "eglTerminate", f.terminate);
  return f;
}

const EglFunctions& egl() {
  static const EglFunctions functions = open_egl();
  return functions;
}

bool lists(const char* extensions, std::string_view name) {
  const std::string_view all = extensions == nullptr ? "" : extensions;
  for (size_t at = 0; at < all.size();) {
    const auto end = std::min(all.find(' ', at), all.size());
    if (all.substr(at, end - at) == name) return true;
    at = end + 1;
  }
  return false;
}

// Displays that may work, the likeliest first. Making them opens nothing yet.
std::vector<EGLDisplay> possible_displays() {
  std::vector<EGLDisplay> out;
  const auto* extensions = egl().query_string(EGL_NO_DISPLAY, EGL_EXTENSIONS);
  const auto on_platform =
      reinterpret_cast<PFNEGLGETPLATFORMDISPLAYEXTPROC>(egl().address("eglGetPlatformDisplayEXT"));
  if (lists(extensions, "EGL_EXT_platform_base") && on_platform != nullptr) {
    const auto query_devices =
        reinterpret_cast<PFNEGLQUERYDEVICESEXTPROC>(egl().address("eglQueryDevicesEXT"));
    if (lists(extensions, "EGL_EXT_platform_device") && query_devices != nullptr) {
      std::array<EGLDeviceEXT, 32> devices{};
      EGLint n = 0;
      if (query_devices(static_cast<EGLint>(devices.size()), devices.data(), &n) == EGL_FALSE) n = 0;
      for (EGLint i = 0; i < n; ++i)
        out.push_back(on_platform(EGL_PLATFORM_DEVICE_EXT, devices[static_cast<size_t>(i)], nullptr));
    }
    if (lists(extensions, "EGL_MESA_platform_surfaceless"))
      out.push_back(on_platform(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, nullptr));
  }
  out.push_back(egl().default_display(EGL_DEFAULT_DISPLAY));
  return out;
}

// EGL knows a display once, however often it is opened: the first to close it would take it from the others.
std::shared_ptr<void> open_display(EGLDisplay display) {
  static std::mutex mutex;
  static std::map<EGLDisplay, std::weak_ptr<void>> open;
  if (display == EGL_NO_DISPLAY) return nullptr;
  const std::lock_guard lock(mutex);
  auto shared = open[display].lock();
  if (shared != nullptr || egl().initialize(display, nullptr, nullptr) == EGL_FALSE) return shared;
  const auto close = [](EGLDisplay last) {
    const std::lock_guard closing(mutex);
    if (open[last].expired()) egl().terminate(last);
  };
  shared = std::shared_ptr<void>(display, close);
  open[display] = shared;
  return shared;
}

// Null where the display has no OpenGL that works without a surface.
EGLContext make_egl_context(EGLDisplay display) {
  const auto* extensions = egl().query_string(display, EGL_EXTENSIONS);
  if (!lists(extensions, "EGL_KHR_surfaceless_context")) return EGL_NO_CONTEXT;
  if (egl().bind_api(EGL_OPENGL_API) == EGL_FALSE) return EGL_NO_CONTEXT;
  const std::array<EGLint, 5> wanted = {EGL_SURFACE_TYPE, EGL_PBUFFER_BIT, EGL_RENDERABLE_TYPE,
                                        EGL_OPENGL_BIT, EGL_NONE};
  EGLConfig config = nullptr;
  EGLint n = 0;
  if (egl().choose_config(display, wanted.data(), &config, 1, &n) == EGL_FALSE || n < 1)
    return EGL_NO_CONTEXT;
  return egl().create_context(display, config, EGL_NO_CONTEXT, nullptr);
}

}  // namespace

void refuse_no_gl(const std::string& what) {
  fail(ErrorKind::io, "OpenGL",
       "pictures need EGL and an OpenGL driver, Mesa's software renderer at least (Debian, Ubuntu: apt-get "
       "install libegl1 libgl1-mesa-dri): " +
           what);
}

EglContext::EglContext() {
  for (auto* candidate : possible_displays()) {
    display_ = open_display(candidate);
    if (display_ == nullptr) continue;
    context_ = make_egl_context(candidate);
    if (context_ != EGL_NO_CONTEXT) return;
  }
  refuse_no_gl("no display of EGL has a driver for OpenGL");
}

EglContext::~EglContext() {
  egl().destroy_context(display_.get(), context_);
}

EglContext::Current::Current(const EglContext& context) : own_display_(context.display_.get()) {
  egl().bind_api(EGL_OPENGL_API);
  display_ = egl().current_display();
  draw_ = egl().current_surface(EGL_DRAW);
  read_ = egl().current_surface(EGL_READ);
  context_ = egl().current_context();
  if (egl().make_current(own_display_, EGL_NO_SURFACE, EGL_NO_SURFACE, context.context_) == EGL_FALSE)
    refuse_no_gl("the context of EGL cannot be used in this thread");
}

EglContext::Current::~Current() {
  if (context_ == EGL_NO_CONTEXT)
    egl().make_current(own_display_, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
  else
    egl().make_current(display_, draw_, read_, context_);
}

}  // namespace plaudit
