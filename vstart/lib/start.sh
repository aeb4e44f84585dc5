# shellcheck shell=bash
# Making and starting a cluster. No `ceph` command is run: each would cost 0.15 s and more.

STARTED=() # daemons that this run started
HELPERS=() # pids of short programs that this run started
INTERRUPTED=0

# --- making it ----------------------------------------------------------------------------------

# Sets PORT to a random one in [$1, $2] on which nobody listens. Below 32768, where the kernel
# takes the ports of outgoing connections from. Random, so that clusters started at the same
# moment rarely meet; a mon that loses the race says so and is given another port.
pick_port() {
    local attempt
    for ((attempt = 0; attempt < 100; attempt++)); do
        PORT=$(($1 + SRANDOM % ($2 - $1 + 1)))
        [[ " ${MON_PORTS[*]} ${DASHBOARD_PORTS[*]} " != *[\ =]"$PORT "* ]] || continue
        (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null || return 0
    done
    die "no free port from $1 to $2"
}

# Sets MON_PORTS, and DASHBOARD_PORTS as MGR=PORT.
pick_ports() {
    local id
    MON_PORTS=()
    DASHBOARD_PORTS=()
    for id in "${MONS[@]}"; do
        pick_port 10000 19999
        MON_PORTS+=("$PORT")
    done
    for id in "${MGRS[@]}"; do
        pick_port 10000 19999
        DASHBOARD_PORTS+=("$id=$PORT")
    done
    SETTINGS[mon_ports]=${MON_PORTS[*]}
    SETTINGS[dashboard_port]=${DASHBOARD_PORTS[0]#*=}
}

# Becomes the program that makes a keyring file: NAME, then --cap arguments. It knows the release's
# type of keys.
make_key() {
    local name=$1 key_type=()
    shift
    if [[ $name == client.admin ]]; then key_type=("${COMPAT_KEY_TYPE[@]}"); fi
    CEPH_CONF=/dev/null exec ceph-authtool --create-keyring "$DIR/boot/$name.keyring" --gen-key "${key_type[@]}" -n "$name" "$@"
}

# Ceph 20 gives out keys that older clients cannot read; older releases do not know the options.
choose_key_types() {
    COMPAT_KEY_TYPE=()
    COMPAT_CIPHERS=()
    COMPAT_WARNINGS=()
    if ((SETTINGS[compat_keys])) && [[ $(ceph-authtool --help 2>&1) == *--key-type* ]]; then
        COMPAT_KEY_TYPE=(--key-type aes)
        COMPAT_CIPHERS=(--auth-allowed-ciphers "aes,aes256k")
        COMPAT_WARNINGS=(AUTH_INSECURE_CLIENT_KEY_TYPE AUTH_INSECURE_KEYS_ALLOWED AUTH_INSECURE_KEYS_CREATABLE)
    fi
}

# The first keys and maps. Files handed to `ceph-mon --mkfs` save all registration commands.
make_keys_and_maps() {
    local id index=0 mons=()
    mkdir "$DIR/boot"
    HELPERS=()
    choose_key_types
    for id in "${MONS[@]}"; do mons+=(--addv "$id" "[v2:127.0.0.1:${MON_PORTS[index++]}]"); done
    {
        run_helper monmaptool --create --fsid "$FSID" "${COMPAT_CIPHERS[@]}" "${mons[@]}" "$DIR/boot/monmap"
        # No --with-default-pool: the mons never make the PGs of a pool that is in the first map.
        run_helper osdmaptool "$DIR/boot/osdmap" --createsimple "${SETTINGS[osds]}"
        run_helper make_key mon. --cap mon 'allow *'
        run_helper make_key client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' --cap mds 'allow *'
        for id in "${MGRS[@]}"; do
            run_helper make_key "mgr.$id" --cap mon 'allow profile mgr' --cap osd 'allow *' --cap mds 'allow *'
        done
        for id in "${OSDS[@]}"; do
            run_helper make_key "osd.$id" --cap mon 'allow profile osd' --cap mgr 'allow profile osd' --cap osd 'allow *'
        done
    } >"$DIR/log/tools.log" 2>&1
    for id in "${HELPERS[@]}"; do
        await_helper "$id" || die "could not make keys and maps: $(<"$DIR/log/tools.log")"
    done
    cat "$DIR"/boot/*.keyring >"$DIR/boot/all"
    install -m 0644 "$DIR/boot/client.admin.keyring" "$DIR/keyring"
    for id in "${MGRS[@]}"; do install -D -m 0600 "$DIR/boot/mgr.$id.keyring" "$DIR/mgr.$id/keyring"; done
    for id in "${OSDS[@]}"; do install -D -m 0600 "$DIR/boot/osd.$id.keyring" "$DIR/osd.$id/keyring"; done
}

# Becomes the program that makes daemon NAME's store.
make_store() {
    local name=$1 id=${1#*.}
    exec >>"$DIR/log/$name.log" 2>&1
    case $name in
    mon.*) exec ceph-mon --mkfs -i "$id" --fsid "$FSID" --monmap "$DIR/boot/monmap" --osdmap "$DIR/boot/osdmap" --keyring "$DIR/boot/all" ;;
    osd.*) exec ceph-osd --mkfs -i "$id" --conf "$CONF" --no-mon-config --osd-uuid "$(</proc/sys/kernel/random/uuid)" ;;
    esac
}

# All stores at once; each daemon starts as soon as its own is there.
make_stores_and_spawn() {
    local name
    local -A store_pids=()
    for name in "${MONS[@]/#/mon.}" "${OSDS[@]/#/osd.}"; do
        run_helper make_store "$name"
        store_pids[$name]=$!
    done
    for name in "${MONS[@]/#/mon.}" "${OSDS[@]/#/osd.}"; do
        await_helper "${store_pids[$name]}" || blame "$name" "it could not make its store"
        spawn_daemon "$name"
    done
}

remove_stores() {
    rm -rf -- "$DIR"/{boot,mon.,osd.,mgr.}*
}

make_cluster() {
    local attempt
    stop_all # left over when the start before was killed
    for attempt in 1 2 3 4 5; do
        remove_stores
        rm -f -- "$DIR"/log/*
        FSID=$(</proc/sys/kernel/random/uuid)
        pick_ports
        write_conf
        make_keys_and_maps
        make_stores_and_spawn
        # A dashboard is configured before its mgr starts.
        if ! ((SETTINGS[dashboard])); then spawn_mgrs; fi
        watch_client make_pool.py "${COMPAT_WARNINGS[@]}"
        mon_lost_its_port || break
        kill_daemons "${STARTED[@]}"
        STARTED=()
    done
    expect_no_failure
    if ((SETTINGS[dashboard])); then
        watch_client dashboard.py configure "${DASHBOARD_PORTS[@]}"
        expect_no_failure
        cat /proc/sys/kernel/random/uuid >"$DIR/dashboard-password"
        spawn_mgrs
        await_dashboard
    fi
    rm -rf -- "${DIR:?}/boot"
    save_settings
}

# --- starting it --------------------------------------------------------------------------------

start_cluster() {
    # Signals only leave a note, so that no daemon is missed between its fork and its pid file.
    trap 'INTERRUPTED=129' HUP
    trap 'INTERRUPTED=130' INT
    trap 'INTERRUPTED=143' TERM
    trap abandon_start EXIT
    mkdir -p "$DIR/log" "$DIR/run"
    if is_made; then
        start_missing
    else
        make_cluster
    fi
    obey_interrupt
    trap - EXIT HUP INT TERM
}

start_missing() {
    local name
    read -ra MON_PORTS <<<"${SETTINGS[mon_ports]}"
    for name in "${DAEMONS[@]}"; do
        is_alive "$name" || spawn_daemon "$name"
    done
    watch_client make_pool.py
    expect_no_failure
    if ((SETTINGS[dashboard])); then await_dashboard; fi
}

await_dashboard() {
    watch_client dashboard.py await "$DIR/dashboard-password"
    expect_no_failure
}

spawn_mgrs() {
    local id
    for id in "${MGRS[@]}"; do spawn_daemon "mgr.$id"; done
}

spawn_daemon() {
    local name=$1 python_path=${PYTHONPATH-}
    if [[ $name == mgr.* ]] && bcrypt_refuses_mgr; then python_path=$HERE/mgr-shim; fi
    PYTHONPATH=$python_path spawn "$name" "ceph-${name%%.*}" -f -c "$CONF" -i "${name#*.}"
}

# Debian 13's bcrypt is written in Rust and refuses the sub-interpreters in which the mgr of
# Ceph 18 runs its modules, so that none of them would load.
bcrypt_refuses_mgr() {
    grep -q 'PyO3 modules' /usr/lib/python3/dist-packages/bcrypt/_bcrypt*.so 2>/dev/null
}

# --- watching it --------------------------------------------------------------------------------

# In the background. What it runs execs, so that its pid is the program's and a kill reaches it.
run_helper() {
    "$@" 9>&- &
    HELPERS+=($!)
}

# The helper's exit status; an interrupted wait ends the start.
await_helper() {
    local status=0
    wait "$1" || status=$?
    obey_interrupt
    return $status
}

kill_helper() {
    { kill -KILL "$1" && wait "$1"; } 2>/dev/null || true
}

# Runs a client program of lib/ to its end. Sets FAILED to the daemon that ended meanwhile, if any.
watch_client() {
    local program=$1 name client
    shift
    FAILED=
    run_helper "$PYTHON" -B "$HERE/lib/$program" "$CONF" "${VSTART_TIMEOUT:-60}" "$@"
    client=$!
    while read_start_time "$client"; do
        obey_interrupt
        for name in "${STARTED[@]}"; do
            is_alive "$name" || { FAILED=$name && kill_helper "$client" && return; }
        done
        pause 0.01
    done
    await_helper "$client" || die "the cluster does not serve$(memstore_hint); its logs are in $DIR/log"
}

memstore_hint() {
    if is_made && [[ ${SETTINGS[objectstore]} == memstore ]]; then
        echo " (what was in the memory of a killed OSD is lost: wipe it)"
    fi
}

# Asks the port, not the mon's log: a mon that cannot bind may exit before its log is written.
mon_lost_its_port() {
    local index
    for index in "${!MONS[@]}"; do
        if [[ $FAILED == "mon.${MONS[index]}" ]]; then
            ! can_bind "${MON_PORTS[index]}"
            return
        fi
    done
    return 1
}

can_bind() {
    "$PYTHON" - "$1" 2>/dev/null <<'END'
import socket, sys
with socket.socket() as listener:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(sys.argv[1])))
END
}

expect_no_failure() {
    [[ -n $FAILED ]] || return 0
    if mon_lost_its_port; then blame "$FAILED" "another program has its port"; fi
    blame "$FAILED" "it ended"
}

# Fails the start because of daemon NAME.
blame() {
    echo "vstart: $1 failed: $2; the end of $DIR/log/$1.log:" >&2
    # A crash appends thousands of lines of older events.
    sed '/^--- begin dump of recent events/,/^--- end dump/d' "$DIR/log/$1.log" | tail -n 20 | sed 's/^/  /' >&2
    exit 1
}

obey_interrupt() {
    ((INTERRUPTED == 0)) || { echo "vstart: interrupted" >&2 && exit "$INTERRUPTED"; }
}

# A start that does not reach its end takes back what it began.
abandon_start() {
    local pid
    for pid in $(jobs -pr); do kill_helper "$pid"; done # daemons are no jobs: spawn disowns them
    if is_made; then
        stop_in_order "${STARTED[@]}"
    else
        # Nothing to save yet; only the logs are of use.
        kill_daemons "${STARTED[@]}"
        remove_stores
    fi
}
