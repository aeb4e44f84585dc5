#pragma once

#include <functional>
#include <memory>
#include <utility>

namespace taskd::rbd {

/// Calls `then` when the last copy of the result has gone: the end of several things that hold one each.
inline std::shared_ptr<void> when_released(std::function<void()> then) {
    return {nullptr, [then = std::move(then)](void*) { then(); }};
}

}  // namespace taskd::rbd
