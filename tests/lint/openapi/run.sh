#!/bin/bash
# Checks the description of the routes, src/api/openapi: that it is valid OpenAPI, by a program from npm, and what
# document.py says. Needs no build. Usage: run.sh FOLDER: what npm brings, and the document, are left there.
set -euo pipefail
HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
SOURCE=$(cd -- "$HERE/../../.." && pwd)

# npm works beside the files that say what is wanted, and leaves the tree clean. Once for each lockfile.
install_packages() {
    if cmp --quiet "$HERE/package-lock.json" installed-lock.json; then return; fi
    cp -- "$HERE"/{package.json,package-lock.json,.npmrc} .
    npm ci
    cp -- package-lock.json installed-lock.json
}

mkdir -p -- "$1"
cd -- "$1"
cmake -DOUTPUT="$PWD/openapi.json" -P "$SOURCE/src/api/openapi/assemble.cmake"
install_packages
node node_modules/@seriousme/openapi-schema-validator/bin/validate-api-cli.js openapi.json
python3 -B "$HERE/document.py" openapi.json
