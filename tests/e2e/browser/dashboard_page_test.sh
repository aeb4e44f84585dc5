#!/bin/bash
# Tests the dashboard's page, fed by us, in a browser. Usage: dashboard_page_test.sh [CHECK...]
exec "$(dirname -- "${BASH_SOURCE[0]}")/run.sh" dashboard_page "$@"
