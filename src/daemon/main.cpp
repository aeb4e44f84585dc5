#include "daemon/daemon_main.hpp"

int main(int argc, char** argv) {
    return taskd::daemon::daemon_main(argc, argv, taskd::rbd::OperationRegistry::builtin());
}
