#include "cli/command_line.hpp"
#include "cli/http_transport.hpp"
#include "cli/outcome.hpp"
#include "cli/process.hpp"
#include "cli/run.hpp"

#include <cstdlib>
#include <iostream>
#include <memory>
#include <variant>

#include <taskd/error.hpp>

int main(int argc, char** argv) {
    using namespace taskd::cli;
    try {
        const CommandLine command_line = parse_command_line(std::vector<std::string>(argv + 1, argv + argc),
                                                            [](const char* name) { return std::getenv(name); });
        // Help must not depend on where the daemon is.
        if (const auto* print = std::get_if<Print>(&command_line.invocation)) {
            std::cout << print->text << std::flush;
            return exit_code(Outcome::succeeded);
        }
        const char* token = std::getenv("CEPH_TASKD_TOKEN");
        HttpTransport transport(command_line.endpoint, token == nullptr ? "" : token, command_line.ca_file);
        SystemTimer timer;
        SignalInterruption interruption;
        Surroundings surroundings{.transport = transport,
                                  .timer = timer,
                                  .interruption = interruption,
                                  .console = system_console(),
                                  .read_file = read_input_file};
        return run(command_line, surroundings);
    } catch (const UsageError& error) {
        std::cerr << "ceph-task: " << error.what() << "\nceph-task: --help tells what there is\n";
        return exit_code(Outcome::refused);
    } catch (const taskd::BadRequest& error) {
        std::cerr << "ceph-task: " << error.what() << '\n';
        return exit_code(Outcome::refused);
    } catch (const std::exception& error) {
        std::cerr << "ceph-task: " << error.what() << '\n';
        return exit_code(Outcome::failed);
    }
}
