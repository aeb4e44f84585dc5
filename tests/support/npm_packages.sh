# For scripts that use programs from npm; to be sourced.

# install_npm_packages SOURCE: what SOURCE/package-lock.json names, into the folder that it is called in. npm works beside
# the files that say what is wanted, and leaves the tree clean. Once for each lockfile, by one at a time.
install_npm_packages() {
    local lock
    exec {lock}>lock
    flock "$lock"
    if ! cmp --quiet "$1/package-lock.json" installed-lock.json; then
        cp -- "$1"/{package.json,package-lock.json,.npmrc} .
        npm ci
        cp -- package-lock.json installed-lock.json
    fi
    exec {lock}>&-
}
