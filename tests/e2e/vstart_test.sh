#!/bin/bash
# Tests vstart/vstart.sh on real clusters. Usage: vstart_test.sh [TEST...]
#
# Each test is a function test_*, run in a shell of its own that ends at the first failed command;
# its clusters are wiped afterwards. Elapsed times are printed for the reader, never asserted.
set -uo pipefail

SOURCE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../vstart" && pwd)
ROOT=$(mktemp -d)
# A copy, because an unprivileged user may not be able to enter the working tree.
cp -r -- "$SOURCE" "$ROOT/vstart"
chmod -R go=u-w "$ROOT"
readonly SOURCE ROOT VSTART=$ROOT/vstart/vstart.sh
unset TASKD_VSTART_DIR VSTART_EXTRA_CONF VSTART_TIMEOUT CEPH_CONF CEPH_ARGS CEPH_KEYRING

vstart() { "$VSTART" "$1" --dir "$DIR/${CLUSTER:-cluster}" "${@:2}"; }
conf() { echo "$DIR/${CLUSTER:-cluster}/ceph.conf"; }
in_cluster() { CEPH_CONF=$(conf) timeout 30 "$@"; }
pid_of() { vstart pids | awk -v name="$1" '$1 == name { print $2 }'; }
# Nothing of the cluster runs. A moment is given: `ceph-osd --mkfs` forks, and that child outlives it a little.
nothing_runs() {
    local end=$((SECONDS + 3))
    while pgrep -f -- "$DIR/" >/dev/null; do
        ((SECONDS < end)) || fail "left behind: $(pgrep -a -f -- "$DIR/")"
        sleep 0.05
    done
}

fail() {
    echo "  failed: $*" >&2
    exit 1
}

equal() { [[ $1 == "$2" ]] || fail "expected '$2', got '$1'"; }
contains() { [[ $1 == *"$2"* ]] || fail "no '$2' in '$1'"; }
refuses() { ! "$@" >/dev/null 2>&1 || fail "should have been refused: $*"; }

eventually() {
    local end=$((SECONDS + 30))
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || fail "not within 30 s: $*"
        sleep 0.2
    done
}

is_healthy() { [[ $(in_cluster ceph health) == HEALTH_OK ]]; }
has_active_mgr() { in_cluster ceph mgr stat | jq -e .available; }

all_pgs_are_active() { in_cluster ceph pg stat -f json | jq -e '[.pg_summary.num_pg_by_state[].name] == ["active+clean"]'; }
is_gone() { [[ ! -e /proc/$1 || $(ps -o stat= -p "$1") == Z* ]]; }

make_and_remove_image() {
    in_cluster rbd create first --size 1G
    equal "$(in_cluster rbd ls)" first
    in_cluster rbd rm --no-progress first
}

test_first_image_is_made_and_removed() {
    local began=$EPOCHREALTIME
    vstart start >/dev/null
    in_cluster rbd create first --size 1G
    awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "  first image %.2f s after the command began\n", b - a }'
    equal "$(in_cluster rbd ls)" first
    in_cluster rbd rm --no-progress first
    contains "$(in_cluster ceph -s)" "health: HEALTH_OK"
}

test_health_stays_ok_with_an_active_mgr() {
    vstart start >/dev/null
    eventually has_active_mgr
    eventually is_healthy
    eventually all_pgs_are_active
}

test_pool_is_as_rbd_pool_init_leaves_it() {
    vstart start >/dev/null
    contains "$(in_cluster ceph osd pool application get rbd)" '"rbd": {}'
    contains "$(in_cluster rados -p rbd ls)" rbd_info
}

test_start_of_a_running_cluster_says_so() {
    vstart start >/dev/null
    local before
    before=$(vstart pids)
    contains "$(vstart start)" "already running"
    equal "$(vstart pids)" "$before"
}

test_start_with_other_options_is_refused() {
    vstart start >/dev/null
    contains "$(vstart start --osds 2 2>&1 || true)" "made with osds 1"
}

test_bad_command_lines_exit_with_2() {
    local status
    for arguments in "" "begin" "start --osds" "start --osds 0" "start --objectstore tape" "start --colour red"; do
        status=0
        # shellcheck disable=SC2086
        "$VSTART" $arguments >/dev/null 2>&1 || status=$?
        equal "$arguments: $status" "$arguments: 2"
    done
}

test_two_clusters_start_at_one_moment_and_stay_apart() {
    local first second
    CLUSTER=one vstart start >/dev/null &
    first=$!
    CLUSTER=two vstart start >/dev/null &
    second=$!
    wait $first
    wait $second
    CLUSTER=one vstart status >/dev/null
    CLUSTER=one in_cluster rbd create only-in-one --size 1M
    equal "$(CLUSTER=two in_cluster rbd ls)" ""
    CLUSTER=one vstart stop >/dev/null
    CLUSTER=two vstart status >/dev/null
    CLUSTER=two make_and_remove_image
}

test_stop_leaves_no_process() {
    vstart start --osds 2 >/dev/null
    local pid pids
    pids=$(vstart pids | cut -d' ' -f2)
    equal "$(wc -w <<<"$pids")" 4
    vstart stop >/dev/null
    for pid in $pids; do is_gone "$pid" || fail "$pid lives"; done
    nothing_runs
    refuses vstart status
    vstart stop >/dev/null
}

test_stop_ends_a_frozen_daemon() {
    vstart start >/dev/null
    vstart kill osd.0 STOP
    vstart stop >/dev/null
    nothing_runs
}

test_stop_spares_a_stranger_with_a_reused_pid() {
    vstart start >/dev/null
    vstart kill osd.0
    sleep 300 &
    local stranger=$!
    sed -i "s/^[0-9]*/$stranger/" "$DIR/cluster/run/osd.0.pid"
    vstart stop >/dev/null
    kill -0 $stranger || fail "the stranger was ended"
    kill $stranger
}

test_memstore_keeps_an_image_over_a_restart() {
    vstart start >/dev/null
    in_cluster rbd create kept --size 1G
    vstart stop >/dev/null
    vstart start >/dev/null
    equal "$(in_cluster rbd ls)" kept
    eventually is_healthy
}

test_bluestore_keeps_an_image_over_a_restart() {
    vstart start --objectstore bluestore >/dev/null
    in_cluster rbd create kept --size 1G
    vstart stop >/dev/null
    vstart start >/dev/null
    equal "$(in_cluster rbd ls)" kept
}

test_status_tells_a_dead_daemon_and_start_revives_it() {
    vstart start --objectstore bluestore >/dev/null
    vstart status >/dev/null
    local mon
    mon=$(pid_of mon.a)
    vstart kill osd.0
    contains "$(vstart status || true)" "osd.0 - down"
    refuses vstart status
    vstart start >/dev/null
    vstart status >/dev/null
    equal "$(pid_of mon.a)" "$mon"
    make_and_remove_image
}

test_revive_starts_one_daemon_again() {
    vstart start >/dev/null
    vstart kill mgr.x
    vstart revive mgr.x
    eventually has_active_mgr
    refuses vstart kill osd.7
}

test_failed_start_names_the_daemon_and_cleans_up() {
    local output status=0
    output=$(VSTART_EXTRA_CONF=$'[osd]\nkeyring = /nonexistent' vstart start 2>&1) || status=$?
    equal "$status" 1
    contains "$output" "osd.0 failed"
    contains "$output" "/nonexistent"
    nothing_runs
    vstart start >/dev/null
    make_and_remove_image
}

test_taken_port_of_a_mon_is_told() {
    vstart start --osds 2 >/dev/null
    vstart stop >/dev/null
    local holder output
    /usr/bin/python3 - "$(conf)" >"$DIR/held" <<'END' &
import re, socket, sys, time
with open(sys.argv[1]) as file:
    port = int(re.search(r"mon host = \[v2:127.0.0.1:(\d+)", file.read()).group(1))
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", port))
listener.listen()
print("held", flush=True)
time.sleep(60)
END
    holder=$!
    eventually grep -q held "$DIR/held"
    output=$(vstart start 2>&1 || true)
    kill $holder
    contains "$output" "mon.a failed: another program has its port"
    nothing_runs
    vstart start >/dev/null
    make_and_remove_image
}

test_interrupted_start_cleans_up() {
    local delay signal status interrupted=0
    for delay in 0.05 0.15 0.25 0.35 0.45; do
        for signal in INT TERM; do
            status=0
            # Not a plain background job: bash makes those ignore SIGINT.
            timeout --foreground -s "$signal" "$delay" env --default-signal=INT \
                "$VSTART" start --dir "$DIR/cluster" --osds 3 >/dev/null 2>&1 || status=$?
            if ((status == 0)); then # it was there already
                vstart wipe >/dev/null
            else
                equal "$signal after $delay: $status" "$signal after $delay: 124"
                interrupted=$((interrupted + 1))
            fi
            nothing_runs
        done
    done
    ((interrupted >= 4)) || fail "only $interrupted starts were interrupted"
    vstart start >/dev/null
    make_and_remove_image
}

test_killed_start_is_cleaned_up_by_the_next() {
    (timeout -s KILL 0.4 "$VSTART" start --dir "$DIR/cluster" || true) >/dev/null 2>&1
    vstart start >/dev/null
    make_and_remove_image
    vstart stop >/dev/null
    nothing_runs
}

test_foreign_directories_are_left_alone() {
    mkdir "$DIR/cluster"
    echo precious >"$DIR/cluster/file"
    refuses vstart wipe
    refuses vstart start
    vstart stop >/dev/null
    equal "$(<"$DIR/cluster/file")" precious
}

test_wipe_deletes_the_directory() {
    vstart start >/dev/null
    vstart wipe >/dev/null
    [[ ! -e $DIR/cluster ]] || fail "still there"
    nothing_runs
    vstart wipe >/dev/null
    refuses vstart env
}

test_directory_names_may_be_odd() {
    CLUSTER="with spaces, and a comma" refuses vstart start
    CLUSTER="with spaces and a $(printf 'long%.0s' {1..30}) name"
    vstart start >/dev/null
    eval "$(vstart env)"
    equal "$CEPH_CONF" "$(conf)"
    make_and_remove_image
}

test_three_mons_three_osds_two_mgrs() {
    local began=$EPOCHREALTIME
    vstart start --mons 3 --osds 3 --mgrs 2 >/dev/null
    in_cluster rbd create first --size 1G
    awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "  first image %.2f s after the command began\n", b - a }'
    equal "$(vstart status | grep -c running)" 8
    equal "$(in_cluster ceph osd pool get rbd size -f json | jq .size)" 2
    eventually has_active_mgr
    eventually is_healthy
    vstart kill mon.a
    vstart kill osd.1
    in_cluster rbd rm --no-progress first
    vstart revive mon.a
    vstart revive osd.1
    eventually is_healthy
}

test_frozen_osd_is_marked_down() {
    vstart start --osds 3 >/dev/null
    vstart kill osd.0 STOP
    eventually sh -c "CEPH_CONF='$(conf)' ceph osd stat -f json | jq -e '.num_up_osds == 2'"
    make_and_remove_image
}

test_dashboard_answers_with_the_printed_login() {
    [[ -d /usr/share/ceph/mgr/dashboard ]] || fail "ceph-mgr-dashboard is not installed"
    contains "$(vstart start --dashboard)" "dashboard http://127.0.0.1:"
    eval "$(vstart env)"
    local login
    login=$(jq -n --arg u "$VSTART_DASHBOARD_USER" --arg p "$VSTART_DASHBOARD_PASSWORD" '{username: $u, password: $p}')
    login=$(curl -sSf "$VSTART_DASHBOARD_URL/api/auth" -H 'Content-Type: application/json' \
        -H 'Accept: application/vnd.ceph.api.v1.0+json' -d "$login")
    equal "$(jq -r .username <<<"$login")" admin
    contains "$(curl -sSf "$VSTART_DASHBOARD_URL/")" "<html"
    eventually is_healthy
}

test_root_is_not_needed() {
    [[ $EUID == 0 ]] || return 0
    chown nobody "$DIR"
    local as_nobody=(setpriv --reuid=nobody --regid=nogroup --clear-groups env HOME=/nonexistent)
    "${as_nobody[@]}" "$VSTART" start --dir "$DIR/cluster" --objectstore bluestore >/dev/null
    equal "$(ps -o user= -p "$(pid_of osd.0)")" nobody
    make_and_remove_image
    "${as_nobody[@]}" "$VSTART" stop --dir "$DIR/cluster" >/dev/null
    nothing_runs
}

test_any_user_can_be_a_client() {
    [[ $EUID == 0 ]] || return 0
    vstart start >/dev/null
    local output
    output=$(cd / && in_cluster setpriv --reuid=nobody --regid=nogroup --clear-groups rbd create theirs --size 1M 2>&1)
    equal "$output" ""
    equal "$(in_cluster rbd ls)" theirs
}

wipe_all() {
    local directory
    for directory in "$DIR"/*/; do "$VSTART" wipe --dir "$directory" >/dev/null 2>&1 || true; done
}

run_test() (
    set -e
    DIR=$ROOT/$1
    mkdir -m 0755 "$DIR"
    trap wipe_all EXIT
    "$1"
)

trap 'rm -rf -- "$ROOT"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

mapfile -t tests < <(if (($#)); then printf '%s\n' "$@"; else declare -F | awk '$3 ~ /^test_/ { print $3 }'; fi)
passed=0 failed=0
for test in "${tests[@]}"; do
    # No `if`: inside one, bash would ignore a failed command within the test.
    run_test "$test"
    status=$?
    if ((status == 0)); then
        passed=$((passed + 1))
        echo "ok $test"
    else
        failed=$((failed + 1))
        echo "FAILED $test"
    fi
done
echo "$passed passed, $failed failed"
((failed == 0))
