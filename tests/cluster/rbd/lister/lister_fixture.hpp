#pragma once

#include "ceph/command_sender.hpp"
#include "rbd/lister.hpp"
#include "support/cluster.hpp"

#include <future>
#include <memory>
#include <string>

#include <gmock/gmock.h>

namespace taskd::test {

/// A lister on a real cluster.
class ListerTest : public ::testing::Test {
  protected:
    static const TestCluster& test_cluster();
    static const std::shared_ptr<ceph::Cluster>& cluster();
    static rbd::Lister& lister();

    /// `rbd ARGUMENTS`, and what it wrote.
    static std::string rbd_tool(const std::string& arguments) { return test_cluster().run("rbd " + arguments); }

    /// Waits for the answer. @throws what the lister answered
    template <class Value, class Ask>
    static Value ask(Ask&& question) {
        const auto promise = std::make_shared<std::promise<Value>>();
        auto future = promise->get_future();
        question([promise](rbd::Outcome<Value> outcome) {
            if (outcome.error)
                promise->set_exception(outcome.error);
            else
                promise->set_value(std::move(outcome.value));
        });
        if (future.wait_for(std::chrono::seconds(30)) != std::future_status::ready) {
            ADD_FAILURE() << "the lister does not answer";
            return {};
        }
        return future.get();
    }

    /// All images of a pool ("": of all pools), by name.
    static rbd::ImageList list(const std::string& pool = {}, bool wants_usage = true);
    static rbd::ImageAnswer get(const rbd::ImageSpec& image, bool wants_usage = true);
    /// The listed image of that name.
    static rbd::ListedImage find(const rbd::ImageList& list, const std::string& name);
};

}  // namespace taskd::test
