#!/bin/bash
# Stands before the compiler (CMAKE_CXX_COMPILER_LAUNCHER) in the presets that only read the sources: an empty object and
# the dependencies are all that ninja needs to know what is still as it was. clang generates code, and warns, in the
# sanitizers' presets.
# Usage: read_only_compiler.sh tidy|syntax COMPILER ARGUMENT...
set -euo pipefail

how=$1
compiler=$2
shift 2
flags=() dependencies=() object='' source=''
while (($#)); do
    case $1 in
        -MD | -MMD) dependencies+=("$1") && shift ;;
        -MT | -MF) dependencies+=("$1" "$2") && shift 2 ;;
        -o) object=$2 && shift 2 ;;
        -c) source=$2 && shift 2 ;;
        *) flags+=("$1") && shift ;;
    esac
done

case $how in
    tidy)
        # Its settings are named, for sources that are read together are one that lies in the build.
        clang-tidy --config-file="$(dirname -- "$0")/../../.clang-tidy" --quiet "$source" -- "${flags[@]}"
        "$compiler" "${flags[@]}" "${dependencies[@]}" -E -o /dev/null "$source"
        ;;
    syntax)
        if [[ $object == *.pch ]]; then exec "$compiler" "${flags[@]}" "${dependencies[@]}" -o "$object" -c "$source"; fi
        "$compiler" "${flags[@]}" "${dependencies[@]}" -fsyntax-only "$source"
        ;;
esac
: >"$object"
