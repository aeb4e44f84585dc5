#!/bin/bash
# Tests ceph-taskd's own page, in a browser. Usage: own_page_test.sh [CHECK...]
exec "$(dirname -- "${BASH_SOURCE[0]}")/run.sh" own_page "$@"
