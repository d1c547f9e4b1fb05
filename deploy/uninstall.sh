#!/bin/sh
# Removes the service and the program, and leaves settings and data: `sudo make uninstall`.
set -eu
cd "$(dirname "$0")/.."
root=${DESTDIR:-}
bin=${BINDIR:-/usr/local/bin}
lib=${LIBDIR:-/usr/local/lib}

say() { echo "price: $*"; }

if [ -z "$root" ] && [ "$(id -u)" != 0 ]; then
    say "uninstalling needs root: sudo make uninstall" >&2
    exit 1
fi
if [ -z "$root" ] && [ -d /run/systemd/system ] && [ -e "$lib/systemd/system/price.service" ]; then
    systemctl --quiet disable --now price
fi
if [ -z "$root" ] && [ -d /run/systemd/system ] && [ -e "$lib/systemd/system/price-repair.timer" ]; then
    systemctl --quiet disable --now price-repair.timer
    systemctl stop price-repair
fi
rule=$root/etc/logrotate.d/price
if [ -e "$rule" ] && ! cmp -s "$rule" "$root/opt/price/deploy/price.logrotate"; then
    say "$rule was changed here and stays"
else
    rm -f "$rule"
fi
rm -rf "$root/opt/price" "$root/opt/.price.new" "$root/opt/.price.old"
rm -f "$root$bin/price" "$root$lib/systemd/system/price.service" \
    "$root$lib/systemd/system/price-repair.service" "$root$lib/systemd/system/price-repair.timer" \
    "$root$lib/systemd/catalog/price.catalog" "$root$lib/sysusers.d/price.conf"
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
say "removed. These stay: /etc/price (settings), /var/log/price and /var/lib/price (data), the user price"
