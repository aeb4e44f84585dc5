#!/bin/bash
# Stands before the compiler in the tidy preset (CMAKE_CXX_COMPILER_LAUNCHER): clang-tidy reads the source with the
# compiler's own arguments, and nothing is generated: an empty object and the dependencies are all that ninja needs to
# know what is still as it was. clang generates code, and warns, in the sanitizers' presets.
set -euo pipefail

compiler=$1
shift
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

clang-tidy --quiet "$source" -- "${flags[@]}"
"$compiler" "${flags[@]}" "${dependencies[@]}" -E -o /dev/null "$source"
: >"$object"
