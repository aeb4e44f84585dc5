#include "worker/worker_executor.hpp"

#include <utility>

namespace taskd::worker {

void WorkerExecutor::start() {
    const auto self = task();
    auto touches = operation_.touches(self->arguments());
    Job job;
    job.task = self;
    job.operation = operation_.name;
    job.arguments = self->arguments();
    job.arguments.update(bound_);
    if (const auto image = rbd::image_id_of(operation_, job.arguments)) {
        // Whatever they call it, this is the same for all who mean it.
        touches.images.push_back(image->format());
        self->set_bound({{"image_id", image->id}});
    }
    job.attempts_before = attempts_before_;
    job.place = {self->id(), std::move(touches.pool), std::move(touches.images), options_.priority, heavy_};
    job.deadline = options_.deadline;
    job.room = std::move(room_);
    job.left_behind = operation_.left_behind;
    job.on_end = [this, self](nlohmann::json value, std::exception_ptr error) {
        finish(std::move(value), std::move(error));
    };
    dispatcher_.submit(std::move(job));
}

void WorkerExecutor::cancel(bool force) {
    dispatcher_.cancel(task()->id(), force);
}

}  // namespace taskd::worker
