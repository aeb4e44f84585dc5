# shellcheck shell=bash
# Daemons as processes: started in sessions of their own, known by pid file, ended by pid.
#
# A pid file holds "PID START_TIME BOOT_ID". Pids are reused, but not together with the start
# time in clock ticks since one boot, so a signal never reaches a stranger.

readonly TERM_BOUND=15 KILL_BOUND=5 # seconds
BOOT_ID=$(</proc/sys/kernel/random/boot_id)
readonly BOOT_ID

# A pipe that never has anything to read.
exec 8<> <(:)

# Sleeps for $1 seconds, or a fraction, without a process of its own.
pause() {
    read -r -t "$1" -u 8 || true
}

# Sets START_TIME of a process; fails when there is none or it is a zombie.
read_start_time() {
    local stat
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    local -a fields
    read -ra fields <<<"${stat##*) }"
    [[ ${fields[0]} != [ZX] ]] || return 1
    START_TIME=${fields[19]}
}

# Sets PID when daemon NAME runs.
is_alive() {
    local start_time boot_id
    { read -r PID start_time boot_id <"$DIR/run/$1.pid"; } 2>/dev/null || return 1
    [[ $boot_id == "$BOOT_ID" ]] && read_start_time "$PID" && [[ $START_TIME == "$start_time" ]]
}

# Runs COMMAND as daemon NAME. A session of its own keeps the terminal's Ctrl-C and SIGHUP away from
# it; descriptor 9 is the directory's lock, which must not outlive us.
spawn() {
    local name=$1
    shift
    setsid "$@" </dev/null >>"$DIR/log/$name.log" 2>&1 8<&- 9>&- &
    local pid=$!
    disown "$pid" # else bash reports its end as news
    if read_start_time "$pid"; then
        echo "$pid $START_TIME $BOOT_ID" >"$DIR/run/$name.pid"
    fi
    STARTED+=("$name")
}

# True when all named daemons are gone within BOUND seconds.
await_gone() {
    local bound=$1 name end
    shift
    end=$((${EPOCHREALTIME/[.,]/} + bound * 1000000))
    for name; do
        while is_alive "$name"; do
            ((${EPOCHREALTIME/[.,]/} < end)) || return 1
            pause 0.01
        done
    done
}

# Ends the named daemons, all at once, and forgets them.
end_daemons() {
    local name
    for name; do
        # SIGCONT: a frozen process would get the SIGTERM only when somebody wakes it.
        if is_alive "$name"; then kill -TERM "$PID" && kill -CONT "$PID"; fi || true
    done
    if ! await_gone "$TERM_BOUND" "$@"; then
        echo "vstart: killing what ignored SIGTERM for $TERM_BOUND s" >&2
    fi
    kill_daemons "$@"
}

kill_daemons() {
    local name
    for name; do
        if is_alive "$name"; then kill -KILL "$PID" || true; fi
    done
    await_gone "$KILL_BOUND" "$@" || die "a daemon survived SIGKILL, see the pid files in $DIR/run"
    for name; do rm -f -- "$DIR/run/$name.pid" "$DIR/run/$name.asok"; done
}

# OSDs first: each tells a mon that it leaves, and waits for the answer. Mons last.
stop_in_order() {
    local kind name
    local -a of_kind
    for kind in osd mgr mon; do
        of_kind=()
        for name; do
            if [[ $name == "$kind".* ]]; then of_kind+=("$name"); fi
        done
        end_daemons "${of_kind[@]}"
    done
}

# By pid files, so that it works on a half-made cluster, too.
stop_all() {
    local file
    local -a names=()
    for file in "$DIR"/run/*.pid; do
        file=${file##*/}
        if [[ $file != '*.pid' ]]; then names+=("${file%.pid}"); fi
    done
    stop_in_order "${names[@]}"
}
