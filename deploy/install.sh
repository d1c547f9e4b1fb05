#!/bin/sh
# Installs price as a service, or a newer version over an older one: `sudo make install`.
# For packagers: DESTDIR, BINDIR (/usr/local/bin) and LIBDIR (/usr/local/lib). With DESTDIR nothing outside it
# is touched: no packages, no user, no service.
# shellcheck disable=SC2086 # lists of packages are words
set -eu
umask 022
unset PYTHONPATH PYTHONHOME
cd "$(dirname "$0")/.."
root=${DESTDIR:-}
bin=${BINDIR:-/usr/local/bin}
lib=${LIBDIR:-/usr/local/lib}
new=$root/opt/.price.new
old=$root/opt/.price.old

say() { echo "price: $*"; }
fail() {
    say "$*" >&2
    exit 1
}
has() { command -v "$1" >/dev/null; }

# Why the service could not use an interpreter; nothing where it could.
objection() {
    "$1" - <<'END' 2>/dev/null || echo "it does not run"
import os, sys

homes = ("/root/", "/home/")
places = {os.path.realpath(path) + "/" for path in (sys.base_prefix, sys.base_exec_prefix, os.__file__)}
if sys.version_info < (3, 11):
    print("it is Python %d.%d, and 3.11 or newer is needed" % sys.version_info[:2])
elif any(place.startswith(homes) for place in places):
    print("it lies in %s, and homes are hidden from the service (ProtectHome=)" % sys.base_prefix)
elif not all(place.startswith(("/usr/", "/opt/")) for place in places):
    print("it lies in %s, and the service runs programs from /usr and /opt only (ExecPaths=)" % sys.base_prefix)
END
}

# Sets $python: the one that is asked for, else the first that will do.
choose_python() {
    if [ -n "${PYTHON:-}" ]; then
        why=$(objection "$PYTHON")
        [ -z "$why" ] || fail "PYTHON=$PYTHON: $why; name another, for example PYTHON=/usr/bin/python3"
        python=$PYTHON
        return 0
    fi
    python=
    for place in /usr/bin /usr/local/bin; do
        for name in python3 python3.14 python3.13 python3.12 python3.11; do
            if [ -x "$place/$name" ] && [ -z "$(objection "$place/$name")" ]; then
                python=$place/$name
                break 2
            fi
        done
    done
    usual=$(command -v python3 || true)
    [ -n "$usual" ] || return 0
    why=$(objection "$usual")
    if [ -n "$why" ] && [ -n "$python" ]; then
        say "not taking $usual: $why; taking $python"
    fi
}

# Sets $needed and $wanted to the packages that are missing.
look_around() {
    needed=
    wanted=
    has systemctl || needed="systemd"
    if [ -z "$python" ]; then
        needed="$needed python3 python3-venv"
    elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        needed="$needed $("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
    fi
    has logrotate || [ -x /usr/sbin/logrotate ] || wanted="logrotate"
    [ -s /etc/ssl/certs/ca-certificates.crt ] || [ -s /etc/pki/tls/certs/ca-bundle.crt ] ||
        [ -s /etc/ssl/ca-bundle.pem ] || wanted="$wanted ca-certificates"
}

# Installs what is missing where there is apt, or names it.
supply() {
    look_around
    [ -n "$needed$wanted" ] || return 0
    if has apt-get; then
        say "installing what is missing:" $needed $wanted
        export DEBIAN_FRONTEND=noninteractive
        if apt-get -qq update; then
            apt-get -qq -y install --no-install-recommends $needed $wanted >/dev/null || true
        fi
        [ -n "$python" ] || choose_python
        look_around
    fi
    [ -z "$needed" ] || fail "missing:" $needed $wanted "- install that, then run this again"
    [ -z "$wanted" ] || say "going on without" $wanted "- install that as well: rotation, trust in exchanges"
}

pip() {
    "$new/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
        --root-user-action=ignore "$@"
}

# Whether the old one can draw, so that the new one should.
charts() {
    set -- "$root"/opt/price/venv/lib/python3*/site-packages/plotext
    [ -d "$1" ]
}

build() {
    rm -rf "$new"
    mkdir -p "$new"
    cp -R main.py price deploy docs requirements.txt requirements-chart.txt env.example \
        LICENSE README.md CHANGELOG.md "$new"
    find "$new" -name __pycache__ -prune -exec rm -rf {} +
    PYTHON=$python deploy/make-venv.sh "$new/venv"
    pip -r requirements.txt ||
        fail "pip failed, nothing was changed. Its settings go behind the command, since sudo drops the" \
            "environment: sudo make install PIP_INDEX_URL=... (or PIP_FIND_LINKS=, PIP_NO_INDEX=1, PIP_CERT=)"
    if charts; then
        pip -r requirements-chart.txt || say "going on without what \`price chart\` draws with, which pip refused"
    fi
    # both hold the name of the folder that it was built in
    find "$new/venv/bin" -type f -delete
    sed -i '/^command = /d' "$new/venv/pyvenv.cfg"
    "$new/venv/bin/python" -m compileall -q "$new/price"
    chmod -R u=rwX,go=rX "$new"
}

swap() {
    rm -rf "$old"
    if [ -e "$root/opt/price" ]; then
        mv "$root/opt/price" "$old"
    fi
    mv "$new" "$root/opt/price"
}

# Puts the old one back if the swap was cut short, and takes away what is half done.
tidy() {
    if [ -d "$old" ] && [ ! -e "$root/opt/price" ]; then
        mv "$old" "$root/opt/price"
    fi
    rm -rf "$new" "$old"
}

place_files() {
    install -D -m 755 deploy/price.command "$root$bin/price"
    for unit in price.service price-repair.service price-repair.timer; do
        install -D -m 644 "deploy/$unit" "$root$lib/systemd/system/$unit"
    done
    install -D -m 644 deploy/price.catalog "$root$lib/systemd/catalog/price.catalog"
    install -D -m 644 deploy/price.sysusers "$root$lib/sysusers.d/price.conf"
    rule=$root/etc/logrotate.d/price
    if [ -e "$rule" ] && ! cmp -s "$rule" deploy/price.logrotate &&
        ! cmp -s "$rule" "$root/opt/price/deploy/price.logrotate"; then
        say "$rule was changed here and stays as it is; ours is deploy/price.logrotate"
    else
        install -D -m 644 deploy/price.logrotate "$rule"
    fi
}

make_user() {
    if has systemd-sysusers; then
        systemd-sysusers "$lib/sysusers.d/price.conf"
    elif ! id price >/dev/null 2>&1; then
        useradd --system --user-group --home-dir /var/lib/price --no-create-home --shell /usr/sbin/nologin price
    fi
}

place_settings() {
    env=$root/etc/price/price.env
    mkdir -p "$root/etc/price"
    [ ! -e "$env" ] || return 0
    install -m 640 env.example "$env"
    if [ -z "$root" ]; then
        chgrp price "$env"
    fi
}

start() {
    journalctl --update-catalog
    if [ ! -d /run/systemd/system ]; then
        say "installed; systemd does not run here, so start it after the next boot: systemctl start price"
        return 0
    fi
    systemctl daemon-reload
    if [ "$(systemctl show -P FragmentPath price)" != "$lib/systemd/system/price.service" ]; then
        say "the unit in use is $(systemctl show -P FragmentPath price), which hides ours in $lib/systemd/system"
    fi
    if systemctl is-active --quiet price; then
        systemctl restart price || fail "installed, but it did not start again; see: journalctl -u price -n 20"
        say "installed, and the running recorder restarted"
    else
        say "installed; settings are in /etc/price/price.env"
        say "next: sudo systemctl start price (at each boot, too: sudo systemctl enable price)"
    fi
}

if [ -z "$root" ] && [ "$(id -u)" != 0 ]; then
    fail "installing needs root: sudo make install"
fi
choose_python
if [ -z "$root" ]; then
    supply
fi
[ -n "$python" ] || fail "there is no Python 3.11 or newer in /usr that the service could use; name one: PYTHON=..."
trap tidy EXIT
trap 'exit 1' HUP INT TERM
build
if [ -z "$root" ]; then
    place_files
    make_user
    place_settings
    swap
    start
else
    place_files
    place_settings
    swap
fi
