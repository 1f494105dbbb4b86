#pragma once

#include "standalone/canvas.hpp"
#include "standalone/viewer_state.hpp"

namespace portunus::standalone {

/// Draws what the state shows on a canvas of the terminal's size (cli-and-config 8.2). Pure.
void draw(const ViewerState& state, Canvas& canvas);

}  // namespace portunus::standalone
