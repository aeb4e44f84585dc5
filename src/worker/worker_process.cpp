#include "worker/worker_process.hpp"

#include "worker/frame.hpp"
#include "worker/last_words.hpp"
#include "worker/worker_main.hpp"

#include <array>
#include <csignal>
#include <cstring>
#include <deque>

#include <sys/socket.h>
#include <sys/wait.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <fcntl.h>
#include <spawn.h>
#include <spdlog/spdlog.h>
#include <taskd/error.hpp>
#include <unistd.h>

extern "C" {
#include <sys/pidfd.h>  // glibc 2.36 forgets to declare it as C
}

namespace taskd::worker {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

[[noreturn]] void fail(int error, const std::string& doing) {
    throw Error(ErrorKind::internal, error, "taskd", "start a worker process: " + doing + ": " + std::strerror(error));
}

/// A descriptor that closes itself. Above the ones that the child gets, so that giving them never overwrites one.
class Descriptor {
  public:
    explicit Descriptor(int low) {
        constexpr int above_the_childs = 10;
        value_ = ::fcntl(low, F_DUPFD_CLOEXEC, above_the_childs);
        const int error = errno;
        ::close(low);
        if (value_ < 0) fail(error, "fcntl");
    }
    ~Descriptor() {
        if (value_ >= 0) ::close(value_);
    }
    Descriptor(Descriptor&& other) noexcept : value_(other.release()) {}
    Descriptor& operator=(Descriptor&&) = delete;
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    int value() const noexcept { return value_; }
    int release() noexcept { return std::exchange(value_, -1); }

  private:
    int value_ = -1;
};

struct Pair {
    Descriptor ours;
    Descriptor childs;
};

Pair make_channel() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) fail(errno, "socketpair");
    return {Descriptor(ends[0]), Descriptor(ends[1])};
}

Pair make_stderr_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) fail(errno, "pipe");
    return {Descriptor(ends[0]), Descriptor(ends[1])};
}

class SpawnActions {
  public:
    SpawnActions() { ::posix_spawn_file_actions_init(&actions); }
    ~SpawnActions() { ::posix_spawn_file_actions_destroy(&actions); }
    SpawnActions(const SpawnActions&) = delete;
    SpawnActions& operator=(const SpawnActions&) = delete;
    posix_spawn_file_actions_t actions{};
};

class SpawnAttributes {
  public:
    SpawnAttributes() {
        ::posix_spawnattr_init(&attributes);
        // The front blocks signals in its threads and ignores SIGPIPE; a worker starts with neither.
        sigset_t none;
        sigset_t all;
        ::sigemptyset(&none);
        ::sigfillset(&all);
        ::posix_spawnattr_setsigmask(&attributes, &none);
        ::posix_spawnattr_setsigdefault(&attributes, &all);
        // A Ctrl-C at the terminal is for the front, which then ends its workers in order.
        ::posix_spawnattr_setpgroup(&attributes, 0);
        ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    }
    ~SpawnAttributes() { ::posix_spawnattr_destroy(&attributes); }
    SpawnAttributes(const SpawnAttributes&) = delete;
    SpawnAttributes& operator=(const SpawnAttributes&) = delete;
    posix_spawnattr_t attributes{};
};

pid_t spawn(std::vector<std::string> command, int channel, int error_output) {
    SpawnActions set_up;
    ::posix_spawn_file_actions_addopen(&set_up.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&set_up.actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_adddup2(&set_up.actions, error_output, STDERR_FILENO);
    ::posix_spawn_file_actions_adddup2(&set_up.actions, channel, channel_descriptor);
    // Whatever a library of the front forgot to mark: no connection of a client, no listening socket, no log.
    ::posix_spawn_file_actions_addclosefrom_np(&set_up.actions, channel_descriptor + 1);
    const SpawnAttributes attributes;
    command.push_back(std::to_string(::getpid()));
    std::vector<char*> arguments;
    arguments.reserve(command.size() + 1);
    for (auto& word : command) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_t pid = 0;
    const int error =
        ::posix_spawn(&pid, arguments[0], &set_up.actions, &attributes.attributes, arguments.data(), environ);
    if (error != 0) fail(error, command.front());
    return pid;
}

}  // namespace

class WorkerProcess::Impl : public std::enable_shared_from_this<WorkerProcess::Impl> {
  public:
    Impl(const std::vector<std::string>& command, asio::io_context& context, WorkerProcess& worker,
         WorkerEvents& events)
        : worker_(&worker), events_(&events), channel_(context), error_output_(context), exit_(context) {
        auto channel = make_channel();
        auto error_output = make_stderr_pipe();
        pid_ = spawn(command, channel.childs.value(), error_output.childs.value());
        const int exit = ::pidfd_open(pid_, 0);
        if (exit < 0) {
            const int error = errno;
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
            fail(error, "pidfd_open");
        }
        exit_.assign(exit);
        channel_.assign(asio::local::stream_protocol(), channel.ours.release());
        channel_.non_blocking(true);
        error_output_.assign(error_output.ours.release());
        error_output_.non_blocking(true);
    }

    ~Impl() {
        // Still alive when the front ends without having waited for it: it must not outlive us, nor stay a zombie.
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
    }

    void start(const protocol::Setup& setup) {
        wait_for_exit();
        read_channel();
        read_error_output();
        send(protocol::setup(setup));
    }

    /// The worker object is gone: nothing is told any more.
    void orphan() {
        events_ = nullptr;
        kill();
    }

    void kill() {
        if (pid_ > 0) ::kill(pid_, SIGKILL);
    }

    void send(const nlohmann::json& message) {
        outgoing_.push_back(encode_frame(message));
        if (outgoing_.size() == 1) write_next();
    }

    pid_t pid() const noexcept { return pid_; }
    const std::string& addresses() const noexcept { return addresses_; }

  private:
    void write_next() {
        asio::async_write(channel_, asio::buffer(outgoing_.front()),
                          [self = shared_from_this()](const error_code& error, std::size_t) {
                              if (error) return;  // the process's end is told by its pidfd
                              self->outgoing_.pop_front();
                              if (!self->outgoing_.empty()) self->write_next();
                          });
    }

    void read_channel() {
        channel_.async_read_some(asio::buffer(incoming_),
                                 [self = shared_from_this()](const error_code& error, std::size_t size) {
                                     if (error) return;
                                     self->take({self->incoming_.data(), size});
                                     self->read_channel();
                                 });
    }

    void read_error_output() {
        error_output_.async_read_some(asio::buffer(error_text_),
                                      [self = shared_from_this()](const error_code& error, std::size_t size) {
                                          if (error) return;
                                          self->last_words_.add({self->error_text_.data(), size});
                                          self->read_error_output();
                                      });
    }

    void wait_for_exit() {
        exit_.async_wait(asio::posix::descriptor_base::wait_read, [self = shared_from_this()](const error_code& error) {
            if (!error) self->handle_exit();
        });
    }

    void handle_exit() {
        siginfo_t info{};
        ::waitid(P_PIDFD, static_cast<id_t>(exit_.native_handle()), &info, WEXITED);
        pid_ = -pid_;  // the number may be somebody else's from now on; kept for the description
        // What it said before it died is still in the socket and the pipe.
        error_code nothing_left;
        for (std::size_t size = 0;
             (size = channel_.read_some(asio::buffer(incoming_), nothing_left)) > 0 && !nothing_left;)
            take({incoming_.data(), size});
        for (std::size_t size = 0;
             (size = error_output_.read_some(asio::buffer(error_text_), nothing_left)) > 0 && !nothing_left;)
            last_words_.add({error_text_.data(), size});
        close();
        const std::string reason = unavailable_.empty()
                                       ? describe_end(info.si_code, info.si_status) + last_words_.summary()
                                       : "cannot reach the cluster: " + unavailable_;
        if (events_ != nullptr) std::exchange(events_, nullptr)->handle_end(*worker_, reason);
    }

    void close() {
        error_code ignored;
        channel_.close(ignored);
        error_output_.close(ignored);
        exit_.close(ignored);
    }

    void take(std::string_view bytes) {
        try {
            for (auto& message : reader_.feed(bytes)) tell(std::move(message));
        } catch (const std::exception& error) {
            spdlog::error("{}: {}", worker_ != nullptr ? worker_->description() : "worker", error.what());
            kill();
        }
    }

    void tell(nlohmann::json message) {
        if (events_ == nullptr) return;
        const auto type = message.at("type").get<std::string>();
        if (type == protocol::progress_type) {
            events_->handle_progress(*worker_, message.at("id").get<std::string>(), message.at("percent").get<int>());
        } else if (type == protocol::result_type) {
            events_->handle_result(*worker_, message.at("id").get<std::string>(), std::move(message.at("value")),
                                   std::move(message.at("error")));
        } else if (type == protocol::ready_type) {
            addresses_ = message.at("addresses").get<std::string>();
            events_->handle_ready(*worker_);
        } else if (type == protocol::unavailable_type) {
            unavailable_ = message.at("error").at("detail").get<std::string>();
        } else {
            throw std::runtime_error("unknown message '" + type + "'");
        }
    }

    WorkerProcess* worker_;
    WorkerEvents* events_;
    asio::local::stream_protocol::socket channel_;
    asio::posix::stream_descriptor error_output_;
    asio::posix::stream_descriptor exit_;
    pid_t pid_ = 0;  ///< Negative once it was waited for.
    std::string addresses_;
    std::string unavailable_;
    LastWords last_words_;
    FrameReader reader_;
    std::array<char, 65536> incoming_{};
    std::array<char, 4096> error_text_{};
    std::deque<std::string> outgoing_;  ///< Bounded by the orders that the dispatcher gives a worker.
};

WorkerProcess::WorkerProcess(std::vector<std::string> command, protocol::Setup setup, asio::io_context& context,
                             WorkerEvents& events)
    : impl_(std::make_shared<Impl>(command, context, *this, events)) {
    impl_->start(setup);
}

WorkerProcess::~WorkerProcess() {
    impl_->orphan();
}

void WorkerProcess::run(const WorkOrder& order) {
    impl_->send(protocol::run(order));
}
void WorkerProcess::cancel(const std::string& id) {
    impl_->send(protocol::cancel(id));
}

bool WorkerProcess::kill() {
    impl_->kill();
    return true;
}

std::string WorkerProcess::description() const {
    return "worker process " + std::to_string(std::abs(impl_->pid()));
}
std::string WorkerProcess::cluster_addresses() const {
    return impl_->addresses();
}

}  // namespace taskd::worker
