# shellcheck shell=bash
# The virtual environment, for the commands beside this file, which source it and then call ensure_environment.
# Written for the bash 3.2 that macOS has.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "$@"
    exit 1
}

# Prints "3.11" for a Python that runs; nothing for a shim or a broken one.
version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

# Sets PYTHON to an interpreter of 3.11 or newer, or says what was found instead.
find_python() {
    local candidate version newest=""
    for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3.14 python3 python}; do
        version=$(version_of "$candidate") || continue
        if is_new_enough "$candidate"; then
            PYTHON=$candidate
            return
        fi
        newest="$candidate is Python $version."
    done
    fail "Switchyard needs Python 3.11 or newer. ${newest:-None was found.}" \
        "Install one, or name it: PYTHON=/path/to/python3.12 $0"
}

create_virtual_environment() {
    find_python
    "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "This Python cannot make virtual environments: its venv module is missing." \
            "On Debian or Ubuntu: apt install python$(version_of "$PYTHON")-venv"
    say "Creating the virtual environment in .venv with $PYTHON ..."
    "$PYTHON" -m venv --clear .venv || fail "The virtual environment could not be created. Is the disk full?"
}

# A lock counts as installed when its copy in .venv is the same, and .venv has not been moved since.
is_installed() {
    [ "$(cat .venv/installed/place 2>/dev/null)" = "$PWD" ] && cmp -s "$1" ".venv/installed/$1"
}

install_packages() {
    local lock arguments=()
    for lock in "$@"; do arguments+=(--requirement "$lock"); done
    say "Installing the Python packages; the first time this takes a minute or two ..."
    # A lock names everything, so nothing is left to resolve: an older pip, asked to, looks past the lock for the
    # newest release of what another package wants with an extra, and then refuses it for having no hash.
    .venv/bin/python -m pip install -qq --disable-pip-version-check --no-input --no-deps --require-hashes \
        "${arguments[@]}" ||
        fail "The Python packages could not be installed. Check the network and the free disk space, then try again."
    .venv/bin/python -m pip check --disable-pip-version-check >/dev/null ||
        fail "The locked packages do not fit this Python; name another: PYTHON=/path/to/python3.12 $0"
    mkdir -p .venv/installed
    printf '%s' "$PWD" >.venv/installed/place
    cp "$@" .venv/installed/
}

all_installed() {
    local lock
    for lock in "$@"; do is_installed "$lock" || return 1; done
    [ -x .venv/bin/python ]
}

# Makes .venv hold the packages of the given locks. Costs milliseconds when it does already.
ensure_environment() {
    all_installed "$@" && return
    # Two commands on a fresh clone must not set up the same directory at once: the second waits for the first.
    exec 9<bin/environment.sh
    if command -v flock >/dev/null; then flock 9; fi
    if ! all_installed "$@"; then
        .venv/bin/python -m pip --version >/dev/null 2>&1 || create_virtual_environment
        install_packages "$@"
    fi
    exec 9<&-
}
