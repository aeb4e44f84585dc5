#!/bin/bash
# Checks the description of the routes, src/api/openapi: that it is valid OpenAPI, by a program from npm, and what
# document.py says. Needs no build. Usage: run.sh FOLDER: what npm brings, and the document, are left there.
set -euo pipefail
HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
SOURCE=$(cd -- "$HERE/../../.." && pwd)
source "$SOURCE/tests/support/npm_packages.sh"

mkdir -p -- "$1"
cd -- "$1"
cmake -DOUTPUT="$PWD/openapi.json" -P "$SOURCE/src/api/openapi/assemble.cmake"
install_npm_packages "$HERE"
node node_modules/@seriousme/openapi-schema-validator/bin/validate-api-cli.js openapi.json
python3 -B "$HERE/document.py" openapi.json
