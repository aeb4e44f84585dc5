#include "ceph/command_caller.hpp"

#include "core/mutex.hpp"

#include <array>
#include <cerrno>

#include <nlohmann/json.hpp>

namespace taskd::ceph {
namespace {

struct BufferFree {
    void operator()(char* buffer) const noexcept { rados_buffer_free(buffer); }
};

/// The two buffers that a command call fills.
class Answer {
  public:
    char** output() { return &output_; }
    char** status() { return &status_; }
    std::size_t* output_size() { return &output_size_; }
    std::size_t* status_size() { return &status_size_; }

    CommandResult take(int return_code) {
        const std::unique_ptr<char, BufferFree> output(output_);
        const std::unique_ptr<char, BufferFree> status(status_);
        CommandResult result{return_code, {}, {}};
        if (output) result.output.assign(output.get(), output_size_);
        if (status) result.status.assign(status.get(), status_size_);
        return result;
    }

  private:
    char* output_ = nullptr;
    char* status_ = nullptr;
    std::size_t output_size_ = 0;
    std::size_t status_size_ = 0;
};

CommandResult call_on(rados_t cluster, const CommandTarget& target, const std::string& command,
                      const std::string& input) {
    std::array<const char*, 1> commands{command.c_str()};
    Answer answer;
    const auto call = [&](auto&& function, auto... leading) {
        return function(cluster, leading..., commands.data(), commands.size(), input.data(), input.size(),
                        answer.output(), answer.output_size(), answer.status(), answer.status_size());
    };
    switch (target.kind) {
        case CommandTarget::Kind::mon:
            return answer.take(target.id.empty() ? call(rados_mon_command)
                                                 : call(rados_mon_command_target, target.id.c_str()));
        case CommandTarget::Kind::mgr:
            return answer.take(call(rados_mgr_command));
        case CommandTarget::Kind::osd:
            return answer.take(call(rados_osd_command, target.osd()));
        case CommandTarget::Kind::pg:
            return answer.take(call(rados_pg_command, target.id.c_str()));
    }
    return {-EINVAL, "unknown target", {}};
}

/// "access denied" says neither to whom nor for want of what.
void add_needed_cap(CommandResult& result, const CommandTarget& target, const nlohmann::json& command,
                    const std::string& user) {
    if (!result.status.starts_with("access denied")) return;  // a refusal of the command's own
    if (target.kind != CommandTarget::Kind::mon && target.kind != CommandTarget::Kind::mgr) return;
    result.status +=
        ": " + user + " needs the caps " + target.component() + " 'allow command \"" + prefix_of(command) + "\"'";
}

}  // namespace

struct LibradosCaller::Impl {
    Impl(Provider cluster_provider, std::chrono::seconds timeout)
        : provider(std::move(cluster_provider)), osd_timeout(timeout) {}

    std::shared_ptr<const Cluster> patient_cluster() {
        const auto main = provider();
        MutexLock lock(mutex);
        if (!patient || patient_of != main->instance_id()) {
            // Others wait here meanwhile, as long as a connect may take: they need it too.
            ClusterOptions options = main->options();
            options.mon_op_timeout = std::chrono::seconds(0);
            options.overrides.erase("rados_mon_op_timeout");
            options.osd_op_timeout = osd_timeout;
            patient = Cluster::connect(options);
            patient_of = main->instance_id();
        }
        return patient;
    }

    const Provider provider;
    const std::chrono::seconds osd_timeout;
    Mutex mutex;
    std::shared_ptr<const Cluster> patient TASKD_GUARDED_BY(mutex);
    std::uint64_t patient_of TASKD_GUARDED_BY(mutex) = 0;  ///< A main handle that was replaced takes this one with it.
};

LibradosCaller::LibradosCaller(Provider cluster, std::chrono::seconds osd_timeout)
    : impl_(std::make_unique<Impl>(std::move(cluster), osd_timeout)) {}

LibradosCaller::~LibradosCaller() = default;

CommandResult LibradosCaller::call(const CommandTarget& target, const nlohmann::json& command,
                                   const std::string& input) {
    // Holds a reference: a call that outlives this object's owner still has its handle.
    const auto cluster = target.kind == CommandTarget::Kind::mon ? impl_->provider() : impl_->patient_cluster();
    auto result = call_on(cluster->handle(), target, command.dump(), input);
    if (result.return_code == -EACCES) add_needed_cap(result, target, command, cluster->options().name);
    return result;
}

}  // namespace taskd::ceph
