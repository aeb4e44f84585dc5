#pragma once

#include <latch>

namespace taskd::test {

/// Holds a function that runs in another thread at one point, until the test lets it go on.
class Blocker {
  public:
    /// In the function: says that it is here, and stays until `release`.
    void block() {
        reached_.count_down();
        released_.wait();
    }
    /// In the test: returns when the function is there.
    void wait_until_blocked() { reached_.wait(); }
    void release() { released_.count_down(); }

  private:
    std::latch reached_{1};
    std::latch released_{1};
};

}  // namespace taskd::test
