#pragma once

#include "core/mutex.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace taskd::http {

/// Says how a new connection is treated, so that many clients, or one, cannot use up the server.
/// @thread  Any. Must outlive its slots.
class ConnectionBudget {
  public:
    enum class Verdict {
        serve,
        refuse,  ///< Tell the client and close. That takes a connection as well, so there is a limit to it, too:
        drop,    ///< close without a word.
    };

    /// A place in the budget, given back when it is destroyed.
    class Slot {
      public:
        Slot(Slot&& other) noexcept;
        Slot& operator=(Slot&&) = delete;
        Slot(const Slot&) = delete;
        Slot& operator=(const Slot&) = delete;
        ~Slot();

        Verdict verdict() const noexcept { return verdict_; }

      private:
        friend class ConnectionBudget;
        Slot(ConnectionBudget* budget, Verdict verdict, std::string address);

        ConnectionBudget* budget_;
        Verdict verdict_;
        std::string address_;
    };

    /// @param total        Most connections served at once.
    /// @param per_address  Most of them from one address; 0: no limit.
    ConnectionBudget(std::size_t total, std::size_t per_address);

    /// @param address  Of the client, without its port; empty where addresses mean nothing (Unix sockets).
    Slot take(std::string_view address);

    std::size_t served() const;

  private:
    void give_back(Verdict verdict, const std::string& address);

    const std::size_t total_;
    const std::size_t per_address_;
    mutable Mutex mutex_;
    std::size_t served_ TASKD_GUARDED_BY(mutex_) = 0;
    std::size_t refusing_ TASKD_GUARDED_BY(mutex_) = 0;
    std::map<std::string, std::size_t, std::less<>> by_address_ TASKD_GUARDED_BY(mutex_);
};

}  // namespace taskd::http
