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

/// Its key in the first line.
void try_kept(std::string_view input) {
    const auto [key, text] = first_line(input);
    try {
        const auto kept = ceph::KeptTask::found(key, std::string(text));
        require(kept.key() == key, "a key that is read and written is the same", key);
        require(kept.view().at("end_time") == kept.end_time, "it ended when its key says");
    } catch (const BadRequest&) {
        return;
    }
}

}  // namespace

void try_input(std::string_view input) {
    try_unfinished(input);
    try_finished(input);
    try_kept(input);
}

}  // namespace taskd::fuzz
