#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "standalone/canvas.hpp"
#include "standalone/viewer_state.hpp"

namespace portunus::standalone {

/// The user's terminal in full-screen mode, on its alternate screen; the destructor gives it back
/// as it was. One at a time.
class Terminal {
 public:
  /// The error is a text for people: no terminal, or one that cannot do this.
  static std::expected<std::unique_ptr<Terminal>, std::string> open();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  Canvas canvas() const;
  void show(const Canvas& canvas);

  struct Pressed {
    Key key;
    char text;
    bool interrupt;  ///< Ctrl-C
  };
  /// The next key, without waiting.
  std::optional<Pressed> key();

 private:
  Terminal() = default;
};

}  // namespace portunus::standalone
