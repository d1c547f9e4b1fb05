#!/bin/sh
# Removes the service and the program, and leaves settings and data: `sudo make uninstall`.
set -eu
unset CDPATH
cd "$(dirname "$0")/.."
root=${DESTDIR:-}
bin=${BINDIR:-/usr/local/bin}
lib=${LIBDIR:-/usr/local/lib}
man=${MANDIR:-/usr/local/share/man}

say() { echo "price: $*"; }

if [ -z "$root" ] && [ "$(id -u)" != 0 ]; then
    say "uninstalling needs root: sudo make uninstall" >&2
    exit 1
fi
if [ -z "$root" ]; then
    (umask 077 && : >>/run/price-install.lock)
    exec 9</run/price-install.lock
    flock -w 2 9 || {
        say "another install or uninstall is at work; run this again once it has ended" >&2
        exit 1
    }
fi

# The names of the units, of this version and of the installed one.
units() {
    for unit in deploy/*.service deploy/*.socket deploy/*.timer "$root"/opt/price/deploy/*.service \
        "$root"/opt/price/deploy/*.socket "$root"/opt/price/deploy/*.timer; do
        [ ! -e "$unit" ] || echo "${unit##*/}"
    done | sort -ru # timers and sockets before the services that they would start again
}

# The unit itself, or for a template those of it that are enabled or run.
instances() {
    case $1 in
    *@.*) systemctl list-units --all --plain --no-legend "${1%.*}*.${1##*.}" | cut -d ' ' -f 1 ;;
    *) echo "$1" ;;
    esac
}

if [ -z "$root" ] && [ -d /run/systemd/system ]; then
    for unit in $(units); do
        if [ -e "$lib/systemd/system/$unit" ]; then
            for name in $(instances "$unit"); do
                systemctl --quiet disable "$name"
                systemctl stop "$name"
            done
        fi
    done
fi
rule=$root/etc/logrotate.d/price
if [ -e "$rule" ] && ! cmp -s "$rule" "$root/opt/price/deploy/price.logrotate"; then
    say "$rule was changed here and stays"
else
    rm -f "$rule"
fi
for unit in $(units); do
    rm -f "$root$lib/systemd/system/$unit" "$root$lib/systemd/system/$unit~"
done
for file in "$bin/price" "$lib/systemd/catalog/price.catalog" "$lib/sysusers.d/price.conf" "$man/man1/price.1"; do
    rm -f "$root$file" "$root$file~"
done
rm -rf "$root/opt/price" "$root/opt/.price.new" "$root/opt/.price.old"
for folder in systemd/system systemd/catalog systemd sysusers.d; do
    if [ -d "$root$lib/$folder" ]; then
        rmdir --ignore-fail-on-non-empty "$root$lib/$folder"
    fi
done
if [ -z "$root" ] && command -v journalctl >/dev/null; then
    journalctl --update-catalog
fi
if [ -z "$root" ] && [ -d /run/systemd/system ]; then
    systemctl daemon-reload
fi
[ -n "$root" ] || rm -f /run/price-install.lock
say "removed. These stay: /etc/price (settings), /var/log/price and /var/lib/price (data), the user price"
