#include "ceph/error.hpp"
#include "rbd/lister/lister_impl.hpp"

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

#include <taskd/error.hpp>

namespace taskd::rbd {
namespace {

/// Images of one list that are read at once.
constexpr std::size_t images_at_once = 512;
/// Reads of one pool that may go unanswered before the rest of its images are given up.
constexpr std::size_t most_unanswered = 16;

/// One list on its way: the namespaces of the pools and what is in them, then the images of the page.
struct Job {
    Job(Lister::Impl& of, ListRequest what, Answered<ImageList> then)
        : lister(of), request(std::move(what)), done(std::move(then)) {}

    Lister::Impl& lister;
    const ListRequest request;
    const Answered<ImageList> done;
    std::shared_ptr<ReadingContext> context = std::make_shared<ReadingContext>();
    std::map<std::pair<std::int64_t, std::string>, NamespaceContent> contents;  ///< By pool and namespace.
    std::map<std::int64_t, SilentPool> silent;
    std::map<std::int64_t, std::size_t> unanswered;
    std::vector<NamespaceContent> in_order;
    std::vector<ImageRef> page;  ///< Points into `in_order`.
    ImageList list;
    std::size_t next = 0;
};
using JobPointer = std::shared_ptr<Job>;

void note_silent(Job& job, const Pool& pool, int rc) {
    job.silent.try_emplace(pool.id(), SilentPool{pool.name(), -rc, job.lister.problem_of(pool.name(), rc)});
}

ListedImage listed(const ImageRef& ref) {
    ListedImage image;
    image.pool = ref.pool->name();
    image.ns = *ref.ns;
    image.name = *ref.name;
    image.id = *ref.id;
    if (ref.removing != nullptr) {
        image.state = ListedImage::State::removing;
        image.deleted = ref.removing->deleted;
    }
    return image;
}

void finish(Job& job) {
    auto& images = job.list.images;
    std::erase_if(images, [](const ListedImage& image) { return image.state == ListedImage::State::gone; });
    for (auto& [id, pool] : job.silent) job.list.silent.push_back(std::move(pool));
    // Of the one pool that was asked for, a refusal is the answer.
    if (!job.request.pool.empty() && !job.list.silent.empty() && images.empty() &&
        job.list.silent.front().error != ETIMEDOUT)
        return job.done({{}, job.lister.error_of(job.request.pool, -job.list.silent.front().error)});
    job.done({std::move(job.list)});
}

void read_next(const JobPointer& job, const std::shared_ptr<void>& until);

void handle_image(const JobPointer& job, const std::shared_ptr<const Pool>& pool, std::size_t place, ListedImage image,
                  const std::shared_ptr<void>& until) {
    if (image.state == ListedImage::State::silent) {
        ++job->unanswered[pool->id()];
        image.problem = job->lister.problem_of(pool->name(), -image.error);
        note_silent(*job, *pool, -image.error);
    } else if (image.state == ListedImage::State::broken) {
        image.problem = ceph::rados_error(image.error, "error reading the header of image " + image.id, "rbd").what();
    }
    job->list.images[place] = std::move(image);
    read_next(job, until);
}

/// Begins to read the next image that has to be read.
void read_next(const JobPointer& job, const std::shared_ptr<void>& until) {
    for (; job->next < job->page.size(); ++job->next) {
        auto& image = job->list.images[job->next];
        if (image.state != ListedImage::State::present) continue;
        const auto pool = job->context->pools->find(job->page[job->next].pool->id());
        if (job->unanswered[pool->id()] >= most_unanswered) {
            image.state = ListedImage::State::silent;
            image.error = ETIMEDOUT;
            image.problem = job->lister.problem_of(pool->name(), -ETIMEDOUT);
            continue;
        }
        const auto place = job->next++;
        read_image(job->lister.reader, job->context, pool, image, [job, pool, place, until](ListedImage read) {
            handle_image(job, pool, place, std::move(read), until);
        });
        return;
    }
}

void read_page(const JobPointer& job) {
    auto& contents = job->in_order;
    for (auto& [key, content] : job->contents) contents.push_back(std::move(content));
    // As the dashboard has it: the namespace without a name comes last in its pool.
    std::stable_sort(contents.begin(), contents.end(), [](const auto& left, const auto& right) {
        return std::pair(left.pool->id(), left.ns.empty()) < std::pair(right.pool->id(), right.ns.empty());
    });
    auto found = matching_images(contents, job->request.page.search);
    job->list.total = found.size();
    job->page = cut_page(std::move(found), job->request.page);
    job->list.images.reserve(job->page.size());
    for (const auto& ref : job->page) job->list.images.push_back(listed(ref));

    const auto until = when_released([job] { finish(*job); });
    std::set<std::int64_t> pools;
    for (const auto& ref : job->page)
        if (pools.insert(ref.pool->id()).second)
            job->lister.read_options(job->context->pools->find(ref.pool->id()), job->list.options, until);
    for (std::size_t started = 0; started < images_at_once && job->next < job->page.size(); ++started)
        read_next(job, until);
}

void look_at_namespace(const JobPointer& job, const std::shared_ptr<const Pool>& pool, const std::string& ns,
                       const std::shared_ptr<void>& until) {
    auto& content = job->contents[{pool->id(), ns}];
    content.pool = pool;
    content.ns = ns;
    job->lister.index.names(*pool, ns, [job, pool, &content, until](int rc, auto names) {
        if (rc < 0) note_silent(*job, *pool, rc);
        content.names = std::move(names);
    });
    job->lister.index.trash(*pool, ns, [job, pool, &content, until](int rc, auto trash) {
        if (rc < 0) note_silent(*job, *pool, rc);
        content.trash = std::move(trash);
    });
    job->lister.read_mirror_mode(pool, ns, [job, pool, ns, until](int, std::uint32_t mode) {
        if (mode != 0) job->context->mirrored.insert({pool->id(), ns});
    });
}

void look_at_pool(const JobPointer& job, const std::shared_ptr<const Pool>& pool, const std::shared_ptr<void>& until) {
    look_at_namespace(job, pool, "", until);
    job->lister.index.namespaces(*pool, [job, pool, until](int rc, const std::vector<std::string>& namespaces) {
        if (rc < 0) note_silent(*job, *pool, rc);
        for (const auto& ns : namespaces) look_at_namespace(job, pool, ns, until);
    });
}

}  // namespace

void answer_list(Lister::Impl& lister, ListRequest request, Answered<ImageList> done) {
    const auto job = std::make_shared<Job>(lister, std::move(request), std::move(done));
    lister.with_pools([job](const Lister::Impl::Pools& pools, const std::exception_ptr& error) {
        if (error) return job->done({{}, error});
        job->context->pools = pools;
        job->context->wants_usage = job->request.wants_usage;
        const auto until = when_released([job] { read_page(job); });
        if (!job->request.pool.empty()) {
            const auto pool = pools->find(job->request.pool);
            if (pool)
                look_at_pool(job, pool, until);
            else
                job->silent[0] = {job->request.pool, ENOENT, {}};
            return;
        }
        for (const auto& [id, pool] : pools->all())
            if (pool->is_for_images()) look_at_pool(job, pool, until);
    });
}

}  // namespace taskd::rbd
