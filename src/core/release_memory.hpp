#pragma once

#include <string>

namespace taskd {

/// Empties a text and gives its memory back. Assigning an empty one does not: libstdc++ keeps the room for the next.
inline void release_memory(std::string& text) noexcept {
    std::string().swap(text);
}

}  // namespace taskd
