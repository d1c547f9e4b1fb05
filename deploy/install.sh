#!/bin/sh
# Installs price as a service, or a newer version over an older one: `sudo make install`.
# The program changes in one rename, every other file in one of its own: whatever ends this script, the old
# program or the new one is whole, and running it again completes it. Two at once: the second waits, then gives up.
# For packagers: DESTDIR, BINDIR (/usr/local/bin), LIBDIR (/usr/local/lib), MANDIR (/usr/local/share/man). With
# DESTDIR nothing outside it is touched: no packages, no user, no service.
# shellcheck disable=SC2086 # lists of packages are words
set -eu
umask 022
unset PYTHONPATH PYTHONHOME CDPATH
cd "$(dirname "$0")/.."
root=${DESTDIR:-}
bin=${BINDIR:-/usr/local/bin}
lib=${LIBDIR:-/usr/local/lib}
man=${MANDIR:-/usr/local/share/man}
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
    "$1" -I - <<'END' 2>/dev/null || echo "it does not run"
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
    elif ! "$python" -I -c 'import ensurepip, venv' 2>/dev/null; then
        needed="$needed $("$python" -I -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
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

# Only root can open the lock: nobody else could hold it. A packager's tree is locked by itself.
lock() {
    if [ -z "$root" ]; then
        (umask 077 && : >>/run/price-install.lock)
        exec 9</run/price-install.lock
    else
        mkdir -p "$root/opt"
        exec 9<"$root"
    fi
    flock -w 2 9 || fail "another install or uninstall is at work; run this again once it has ended"
}

# Whether the old one has an optional package, so that the new one should.
had() {
    set -- "$root"/opt/price/venv/lib/python3*/site-packages/"$1"
    [ -d "$1" ]
}

build() {
    rm -rf "$new"
    mkdir -p "$new"
    [ -d price/web/static/vendor ] || deploy/make-web.sh ||
        say "going on without what the page of \`price web\` draws its chart with; see: make web"
    cp -R main.py deploy docs requirements*.txt env.example LICENSE README.md CHANGELOG.md "$new"
    PYTHON=$python deploy/make-venv.sh "$new/venv"
    # pip makes the wheel of this folder, whose requirements are in ranges: the exact versions come from the file
    deploy/pip.sh "$new/venv" -r requirements.txt . ||
        fail "pip failed, nothing was changed. Its settings go behind the command, since sudo drops the" \
            "environment: sudo make install PIP_INDEX_URL=... (or PIP_FIND_LINKS=, PIP_NO_INDEX=1, PIP_CERT=)"
    for extra in chart:plotext follow:psycopg metrics:prometheus_client supervise:psutil web:waitress; do
        if had "${extra#*:}"; then
            deploy/pip.sh "$new/venv" -r "requirements-${extra%:*}.txt" ||
                say "going on without what \`price ${extra%:*}\` needs, which pip refused"
        fi
    done
    # both hold the name of the folder that it was built in
    find "$new/venv/bin" -type f -delete
    sed -i '/^command = /d' "$new/venv/pyvenv.cfg"
    chmod -R u=rwX,go=rX "$new"
}

# Puts the new program in the old one's place. Where the file system cannot exchange two folders, in two renames.
swap() {
    sync
    "$python" -I - "$new" "$root/opt/price" <<'END' && return 0
import ctypes, os, sys

HERE, EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of linux/fcntl.h and linux/fs.h
new, place = map(os.fsencode, sys.argv[1:])
if os.path.lexists(place):
    sys.exit(ctypes.CDLL(None).renameat2(HERE, new, HERE, place, EXCHANGE))
os.rename(new, place)
END
    mv "$root/opt/price" "$old"
    mv "$new" "$root/opt/price"
}

# Puts the old one back if the swap was cut short, and takes away what is half done or of no more use.
tidy() {
    if [ -e "$old" ] && [ ! -e "$root/opt/price" ]; then
        mv "$old" "$root/opt/price"
    fi
    rm -rf "$new" "$old"
}

# Puts the file $2 at $3 with the mode $1: all of it, or what was there before.
place() {
    install -D -m "$1" "$2" "$3~"
    mv -f "$3~" "$3"
}

# The user's own rule stays. Before the swap: the rule of the program that is there tells which it is.
place_rule() {
    rule=$root/etc/logrotate.d/price
    if [ -e "$rule" ] && ! cmp -s "$rule" deploy/price.logrotate &&
        ! cmp -s "$rule" "$root/opt/price/deploy/price.logrotate"; then
        say "$rule was changed here and stays as it is; ours is deploy/price.logrotate"
    else
        place 644 deploy/price.logrotate "$rule"
    fi
}

# After the swap: the new program understands the old units, the old one need not understand the new ones.
place_files() {
    place 755 deploy/price.command "$root$bin/price"
    for unit in deploy/*.service deploy/*.socket deploy/*.timer; do
        [ ! -e "$unit" ] || place 644 "$unit" "$root$lib/systemd/system/${unit#deploy/}"
    done
    place 644 deploy/price.catalog "$root$lib/systemd/catalog/price.catalog"
    place 644 deploy/price.1 "$root$man/man1/price.1"
}

make_user() {
    place 644 deploy/price.sysusers "$root$lib/sysusers.d/price.conf"
    [ -z "$root" ] || return 0
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
    install -m 640 env.example "$env~"
    if [ -z "$root" ]; then
        chgrp price "$env~"
    fi
    mv "$env~" "$env"
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
    # what runs beside the recorder; a repair that is under way ends by itself
    for unit in deploy/*.service; do
        name=${unit#deploy/}
        case $name in
        price.service | price-repair.service) ;;
        *@.service) systemctl try-restart "${name%.service}*.service" ;;
        *) systemctl try-restart "$name" ;;
        esac
    done
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
if [ -z "$root" ] && [ -e /usr/lib/price/main.py ]; then
    fail "the Debian package of price is installed; first type: sudo apt remove price (settings and data stay)"
fi
choose_python
if [ -z "$root" ]; then
    supply
fi
[ -n "$python" ] || fail "there is no Python 3.11 or newer in /usr that the service could use; name one: PYTHON=..."
lock
tidy
trap tidy EXIT
trap 'exit 1' HUP INT TERM
build
place_rule
make_user
place_settings
swap
place_files
if [ -z "$root" ]; then
    start
fi
