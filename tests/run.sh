#!/bin/bash
# Builds and tests ceph-taskd. Usage: tests/run.sh [STAGE...]
#
# Stages, all of them by default:
#   lint                          formatting, clang-tidy and clang's warnings, each source and public header by itself,
#                                 scripts, the systemd unit, /api/openapi.json, the manual pages
#   unit component cluster e2e    the tests of that label, release build; e2e: the scripts tests/e2e/*_test.sh as well
#   asan tsan                     unit and component tests under sanitizers
#   fuzz                          tests/fuzz: each fuzzer with its corpus for 10 s, or FUZZ_SECONDS
#   conformance                   tests/conformance: the same requests to ceph-taskd and to Ceph's dashboard
#   browser                       tests/e2e/browser: both web pages in Chromium; leaves screenshots in BUILD_DIR/browser
#   chaos                         tests/e2e/chaos: two minutes of tasks while everything is killed; prints its seed
#   bench                         tests/bench: measurements beside their alternatives; in a run of all stages only that they run
#
# Each stage ends in `stage NAME: N passed, N failed`, the run in `N passed, N failed`; the exit code is 0 only when
# nothing failed and every stage ran something. A failed stage does not stop the later ones. Builds are quiet unless
# they fail. BUILD_DIR moves the builds, each of which has a folder of its preset's name there.
set -uo pipefail

readonly ALL_STAGES=(lint unit component cluster e2e conformance browser chaos bench asan fuzz tsan)
SOURCE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
BUILD_ROOT=$(realpath -m -- "${BUILD_DIR:-$SOURCE/build}")
JOBS=$(nproc)
readonly SOURCE BUILD_ROOT JOBS

stages_to_come=()
only_named=
total_passed=0
total_failed=0
stage_passed=0
stage_failed=0

log_of() { echo "$BUILD_ROOT/$1.log"; }

# count PASSED FAILED: adds to the stage's counts.
count() {
    stage_passed=$((stage_passed + $1))
    stage_failed=$((stage_failed + $2))
}

# check TITLE LOG COMMAND...: one thing that passes or fails, with its output in LOG and the tail of it when it fails.
check() {
    local title=$1 log=$2
    if "${@:3}" >"$log" 2>&1; then
        count 1 0
        return 0
    fi
    count 0 1
    echo "--- $title failed; the end of $log:"
    tail -n 60 "$log"
    return 1
}

# ThreadSanitizer of g++ 12 cannot place its shadow where a kernel randomises addresses much (vm.mmap_rnd_bits > 28).
runner_of() {
    RUNNER=(env)
    if [[ $1 == tsan ]] && setarch "$(uname -m)" --addr-no-randomize true 2>/dev/null; then
        RUNNER=(setarch "$(uname -m)" --addr-no-randomize)
    fi
}

run_as() {
    runner_of "$1"
    "${RUNNER[@]}" "${@:2}"
}

configure_and_build() {
    local preset=$1
    shift
    cmake --preset "$preset" -B "$BUILD_ROOT/$preset" &&
        run_as "$preset" cmake --build "$BUILD_ROOT/$preset" --parallel "$JOBS" "$@"
}

# build_beside PRESET TARGET...: begins a build that takes only what the stages meanwhile leave of the processors:
# those that start clusters wait more than they compute. `build` waits for its end.
declare -A builders=()
build_beside() {
    [[ -z ${builders[$1]:-} ]] || return 0
    (
        cd -- "$SOURCE" && chrt --idle --pid 0 "$BASHPID" && cmake --preset "$1" -B "$BUILD_ROOT/$1" || exit
        runner_of "$1"
        # Without a shell in between, so that the end of this run can end it.
        exec "${RUNNER[@]}" ninja -C "$BUILD_ROOT/$1" -j "$JOBS" "${@:2}"
    ) >"$(log_of "build-$1")" 2>&1 &
    builders[$1]=$!
}

end_what_runs_beside() {
    local process
    if ((${#builders[@]})); then kill -- "${builders[@]}" 2>/dev/null; fi
    for process in "${!scripts_running[@]}"; do pkill -TERM --parent "$process"; done
}

# build PRESET [--target T...]: builds once a run; a failed build counts as one failure of each stage that needs it.
declare -A built=()
build() {
    local preset=$1 what=$* log
    log=$(log_of "build-$preset")
    if [[ -z ${built[$what]:-} ]]; then
        cd -- "$SOURCE" || return
        if [[ -n ${builders[$preset]:-} ]]; then
            wait "${builders[$preset]}"
        else
            configure_and_build "$@" >"$log" 2>&1
        fi
        if (($? == 0)); then
            built[$what]=yes
        else
            built[$what]=no
            echo "--- build of $preset failed; its errors and the end of $log:"
            grep -E -A3 '(error|CMake Error)[: ]' "$log" | head -n 60
            tail -n 20 "$log"
        fi
    fi
    unset "builders[$preset]" # another target of it is to be built in its turn
    [[ ${built[$what]} == yes ]] || { count 0 1 && return 1; }
}

# run_ctest BUILD LABELS: counts cases, from ctest's own report or, where an executable has all of its cases in one
# entry, from those of the executables. Not by the presets of ctest, which know no other build folder.
run_ctest() {
    local log report reports cases tests failed failed_cases stage=${FUNCNAME[1]#stage_} parallel=2 environment=()
    log=$(log_of "ctest-$stage")
    report=${log%.log}.xml
    reports=("$report")
    cases=${log%.log}.cases
    rm -rf -- "$report" "$cases"
    if [[ $2 == cluster || $2 == e2e ]]; then parallel=1; fi
    if [[ $1 != release ]]; then environment=(GTEST_OUTPUT="xml:$cases/" GTEST_BRIEF=1); fi
    ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1 \
        TSAN_OPTIONS=halt_on_error=1 \
        run_as "$1" env "${environment[@]}" \
        ctest --test-dir "$BUILD_ROOT/$1" --label-regex "^($2)\$" --no-tests=error --timeout 1200 \
        --parallel "$parallel" --output-junit "$report" --output-on-failure >"$log" 2>&1
    if [[ $1 != release ]]; then reports=("$cases"/*.xml); fi
    tests=$(counted tests "${reports[@]}")
    failed_cases=$(($(counted failures "${reports[@]}") + $(counted skipped "${reports[@]}")))
    # An executable that died has no report of its own.
    failed=$(($(counted failures "$report") + $(counted skipped "$report")))
    if ((failed_cases > failed)); then failed=$failed_cases; fi
    count $((tests - failed_cases)) "$failed"
    if ((failed)); then
        echo "--- $failed failed; all of it is in $log:"
        show_failures "$report"
    elif ((tests == 0)); then
        tail -n 20 "$log"
    fi
}

# show_failures JUNIT-FILE: what each failed test printed last.
show_failures() {
    python3 - "$1" <<'PYTHON'
import sys
import xml.etree.ElementTree
for case in xml.etree.ElementTree.parse(sys.argv[1]).iter("testcase"):
    if case.get("status") != "run":
        print(f"--- {case.get('name')}: {case.get('status')}", *(case.findtext("system-out") or "").splitlines()[-60:],
              sep="\n")
PYTHON
}

# counted ATTRIBUTE REPORT...: the sum of it. Skipped tests are those whose program is missing, for ours never skip
# themselves.
counted() {
    python3 - "$@" <<'PYTHON'
import contextlib
import sys
import xml.etree.ElementTree
total = 0
for path in sys.argv[2:]:
    with contextlib.suppress(OSError, xml.etree.ElementTree.ParseError):
        total += int(xml.etree.ElementTree.parse(path).getroot().get(sys.argv[1], 0))
print(total)
PYTHON
}

# run_script SCRIPT LOG TIMEOUT [ARGUMENT...]: it prints `N passed, N failed` last.
run_script() {
    local script=$1 log=$2 counts passed failed status began=$SECONDS
    TASKD_SOURCE_DIR=$SOURCE TASKD_BINARY_DIR=$BUILD_ROOT/release timeout --kill-after=30 "$3" "$script" "${@:4}" \
        >"$log" 2>&1
    status=$?
    counts=$(grep -oE '[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
    read -r passed failed < <(sed -E 's/ passed, | failed/ /g' <<<"${counts:-0 passed, 1 failed}")
    if ((status && !failed)); then failed=1; fi
    count "$passed" "$failed"
    script=${script#"$SOURCE/tests/"}
    echo "${script#e2e/}: $passed passed, $failed failed ($((SECONDS - began)) s)"
    if ((failed)); then
        echo "--- exit code $status; the end of $log:"
        tail -n 80 "$log"
    fi
}

# run_scripts DIRECTORY TIMEOUT: each *_test.sh in it, two at a time: they wait more than they compute.
declare -A scripts_running=() # by process
run_scripts() {
    local script
    for script in "$SOURCE/$1"/*_test.sh; do
        [[ -e $script ]] || continue
        while ((${#scripts_running[@]} >= 2)); do await_a_script; done
        (
            stage_passed=0 stage_failed=0
            run_script "$script" "$(log_of "$(basename -- "$script" .sh)")" "$2"
            echo "$stage_passed $stage_failed"
        ) >"$(log_of "outcome-$(basename -- "$script" .sh)")" 2>&1 &
        scripts_running[$!]=$script
    done
    while ((${#scripts_running[@]})); do await_a_script; done
}

await_a_script() {
    local process outcome counts
    wait -n -p process "${!scripts_running[@]}"
    outcome=$(log_of "outcome-$(basename -- "${scripts_running[$process]}" .sh)")
    unset "scripts_running[$process]"
    head -n -1 -- "$outcome"
    counts=$(tail -n 1 -- "$outcome")
    if [[ $counts =~ ^[0-9]+\ [0-9]+$ ]]; then
        count "${counts% *}" "${counts#* }"
    else
        count 0 1
    fi
}

formatted() { git -C "$SOURCE" ls-files -z '*.cpp' '*.hpp' | (cd "$SOURCE" && xargs -0 clang-format --dry-run -Werror); }

scripts_parse() {
    local file failed=0
    while IFS= read -r -d '' file; do
        if [[ -f $SOURCE/$file ]] && head -n 1 -- "$SOURCE/$file" | grep -qaE '^#!.*\b(ba)?sh\b'; then
            bash -n "$SOURCE/$file" || failed=1
        fi
    done < <(git -C "$SOURCE" ls-files -z)
    return "$failed"
}

manual_pages_are_sound() { mandoc -Tlint -Wwarning "$SOURCE"/docs/man/*; }

stage_lint() {
    check "formatting" "$(log_of lint-format)" formatted
    check "parsing the scripts" "$(log_of lint-scripts)" scripts_parse
    check "the systemd unit" "$(log_of lint-service)" "$SOURCE/tests/lint/service.sh"
    check "the description of the routes" "$(log_of lint-openapi)" "$SOURCE/tests/lint/openapi/run.sh" \
        "$BUILD_ROOT/openapi-lint"
    check "the manual pages" "$(log_of lint-manual)" manual_pages_are_sound
    # clang-tidy's and clang's findings stop the build; --keep-going tells them all at once.
    # The other presets compile sources together (CMAKE_UNITY_BUILD), where one can lean on what another includes.
    build alone -- -k 0 && count 1 0
    build tidy --target all --target all_verify_interface_header_sets -- -k 0 && count 1 0
}
stage_unit() { build release && run_ctest release unit; }
stage_component() { build release && run_ctest release component; }
stage_asan() { build asan --target sanitized_tests && run_ctest asan 'unit|component'; }
stage_tsan() { build tsan --target sanitized_tests && run_ctest tsan 'unit|component'; }
stage_fuzz() {
    build asan --target fuzzers || return
    run_script "$SOURCE/tests/fuzz/run.py" "$(log_of fuzz)" 7200 "$BUILD_ROOT/asan" "${FUZZ_SECONDS:-10}"
    grep ' a second,' "$(log_of fuzz)"
}
is_to_come() { [[ " ${stages_to_come[*]} " == *" $1 "* ]]; }
stage_cluster() {
    build release || return
    if is_to_come asan; then
        if is_to_come fuzz; then build_beside asan sanitized_tests fuzzers; else build_beside asan sanitized_tests; fi
    fi
    if is_to_come tsan; then build_beside tsan sanitized_tests; fi
    run_ctest release cluster
}
stage_e2e() {
    build release || return
    run_scripts tests/e2e 1200
}
stage_conformance() {
    build release && run_script "$SOURCE/tests/conformance/run.sh" "$(log_of conformance)" 600
}
stage_browser() {
    build release || return
    run_scripts tests/e2e/browser 600
    echo "screenshots: $BUILD_ROOT/browser/screenshots"
}
stage_chaos() {
    build release || return
    local log
    log=$(log_of chaos)
    run_script "$SOURCE/tests/e2e/chaos/run.sh" "$log" 1200
    grep -E '^(seed|disturbances|operations)' "$log" | sort -u # what went wrong can be gone through again
}
stage_bench() {
    build release || return
    local log options=()
    log=$(log_of bench)
    [[ -n $only_named ]] || options=(--quick)
    BUILD_DIR=$BUILD_ROOT run_script "$SOURCE/tests/bench/run.sh" "$log" 1800 "${options[@]}"
    if [[ -n $only_named ]]; then sed -n '/^what  /,$p' "$log"; fi
}

run_stage() {
    local name=$1 began=$SECONDS
    stage_passed=0
    stage_failed=0
    echo "=== $name"
    "stage_$name"
    if ((stage_passed + stage_failed == 0)); then
        echo "--- $name ran no test"
        stage_failed=1
    fi
    echo "stage $name: $stage_passed passed, $stage_failed failed ($((SECONDS - began)) s)"
    total_passed=$((total_passed + stage_passed))
    total_failed=$((total_failed + stage_failed))
}

main() {
    local stage stages=("${@:-${ALL_STAGES[@]}}")
    if (($#)); then only_named=yes; fi
    for stage in "${stages[@]}"; do
        declare -F "stage_$stage" >/dev/null || {
            echo "unknown stage '$stage'; there are: ${ALL_STAGES[*]}" >&2
            return 2
        }
    done
    mkdir -p -- "$BUILD_ROOT" || return 2
    if ! check "vstart/install-deps.sh" "$(log_of install-deps)" "$SOURCE/vstart/install-deps.sh"; then
        total_failed=1
    fi
    trap end_what_runs_beside EXIT
    stages_to_come=("${stages[@]}")
    for stage in "${stages[@]}"; do
        stages_to_come=("${stages_to_come[@]:1}")
        run_stage "$stage"
    done
    echo "$total_passed passed, $total_failed failed"
    ((total_failed == 0))
}

main "$@"
