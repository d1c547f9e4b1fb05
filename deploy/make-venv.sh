#!/bin/sh
# Makes a virtual environment at $1; where Debian's python3-venv is missing, root gets it installed.
set -eu
unset PYTHONHOME PYTHONPATH
python=${PYTHON:-python3}
command -v "$python" >/dev/null || {
    echo "price: there is no $python; on Debian or Ubuntu: sudo apt install python3" >&2
    exit 1
}
"$python" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "price: $("$python" --version) is too old: 3.11 or newer is needed; name one: make PYTHON=python3.12 run" >&2
    exit 1
}
if ! "$python" -I -c 'import ensurepip, venv' 2>/dev/null; then
    package=$("$python" -I -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "price: installing $package, which $python needs to make an environment"
        apt-get -qq update
        DEBIAN_FRONTEND=noninteractive apt-get -qq -y install "$package" >/dev/null
    else
        echo "price: $python cannot make an environment; type: sudo apt install $package" >&2
        exit 1
    fi
fi
"$python" -I -m venv --clear "$1"
