#include "ceph/task_record.hpp"
#include "fuzz/fuzzer.hpp"

#include <taskd/error.hpp>

/// What is in the journal: a value of its omap.
namespace taskd::fuzz {
namespace {

void try_unfinished(std::string_view input) {
    ceph::TaskRecord record;
    try {
        record = ceph::TaskRecord::decode(input);
    } catch (const BadRequest&) {
        return;
    }
    const auto text = record.encode();
    require(ceph::TaskRecord::decode(text).encode() == text, "a record that is written and read again is the same",
            text);
}

void try_finished(std::string_view input) {
    ceph::FinishedRecord record;
    try {
        record = ceph::decode_finished(input);
    } catch (const BadRequest&) {
        return;
    }
    const auto text = ceph::encode_finished(record.id, record.view);
    const auto again = ceph::decode_finished(text);
    require(again.id == record.id, "a finished task keeps its id");
    require(ceph::encode_finished(again.id, again.view) == text, "what was cut once is not cut again", text);
}

}  // namespace

void try_input(std::string_view input) {
    try_unfinished(input);
    try_finished(input);
}

}  // namespace taskd::fuzz
