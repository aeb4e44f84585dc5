# shellcheck shell=bash
# The cluster as a directory: whose it is, what it was made with, what its daemons are called.

readonly MON_IDS=(a b c d e f g h i) MGR_IDS=(x y z)
declare -A SETTINGS=()

# --- the directory ------------------------------------------------------------------------------

# Makes the directory ours, or fails when it is somebody else's.
claim_directory() {
    [[ ! -f $MARKER ]] || return 0
    mkdir -p -- "$DIR"
    [[ -z $(ls -A -- "$DIR") || -f $MARKER ]] || die "$DIR is not empty and vstart did not make it"
    : >>"$MARKER"
}

# One vstart.sh at a time works on a directory. A wipe deletes the file that the others wait on.
lock_directory() {
    exec 9>>"$MARKER"
    flock -w 120 9 || die "another vstart.sh has been busy with $DIR for 120 s"
    [[ $MARKER -ef /dev/fd/9 ]] || die "$DIR was wiped meanwhile"
}

# True once a start has come to its end: the settings are written last.
is_made() {
    [[ -f $DIR/settings ]]
}

load_settings() {
    SETTINGS=([mons]=1 [mgrs]=1 [osds]=1 [objectstore]=memstore [dashboard]=0 [compat_keys]=0)
    local key value
    if is_made; then
        while IFS="=" read -r key value; do SETTINGS[$key]=$value; done <"$DIR/settings"
    else
        for key in "${!ASKED[@]}"; do SETTINGS[$key]=${ASKED[$key]}; done
        : "${SETTINGS[size]=$((SETTINGS[osds] > 1 ? 2 : 1))}"
    fi
    name_daemons
}

save_settings() {
    local key
    for key in "${!SETTINGS[@]}"; do echo "$key=${SETTINGS[$key]}"; done >"$DIR/settings.new"
    mv -- "$DIR/settings.new" "$DIR/settings"
}

check_asked_settings() {
    local key
    for key in "${!ASKED[@]}"; do
        [[ ${SETTINGS[$key]} == "${ASKED[$key]}" ]] ||
            die "the cluster in $DIR was made with $key ${SETTINGS[$key]}, not ${ASKED[$key]}; wipe it first"
    done
    ((SETTINGS[mons] <= ${#MON_IDS[@]})) || die "at most ${#MON_IDS[@]} mons"
    ((SETTINGS[mgrs] <= ${#MGR_IDS[@]})) || die "at most ${#MGR_IDS[@]} mgrs"
    ((SETTINGS[size] <= SETTINGS[osds])) || die "${SETTINGS[size]} copies need as many OSDs"
}

# --- names and descriptions ---------------------------------------------------------------------

# Sets DAEMONS, the names of all, and MONS, OSDS and MGRS, their ids.
name_daemons() {
    MONS=("${MON_IDS[@]:0:SETTINGS[mons]}")
    MGRS=("${MGR_IDS[@]:0:SETTINGS[mgrs]}")
    OSDS=()
    while ((${#OSDS[@]} < SETTINGS[osds])); do OSDS+=("${#OSDS[@]}"); done
    DAEMONS=("${MONS[@]/#/mon.}" "${OSDS[@]/#/osd.}" "${MGRS[@]/#/mgr.}")
}

all_alive() {
    local name
    for name in "${DAEMONS[@]}"; do is_alive "$name" || return 1; done
}

describe() {
    echo "${SETTINGS[mons]} mon, ${SETTINGS[mgrs]} mgr, ${SETTINGS[osds]} osd (${SETTINGS[objectstore]}), pool rbd of size ${SETTINGS[size]}"
}

print_dashboard() {
    if ((SETTINGS[dashboard])); then
        echo "dashboard http://127.0.0.1:${SETTINGS[dashboard_port]} user admin, password in $DIR/dashboard-password"
    fi
}
