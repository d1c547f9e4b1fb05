#!/bin/sh
# The installed command `price`: the service's program, files and settings, where nothing else is set.
set -eu
: "${LOGS_DIRECTORY=/var/log/price}" "${STATE_DIRECTORY=/var/lib/price}" "${RUNTIME_DIRECTORY=/run/price}"
export LOGS_DIRECTORY STATE_DIRECTORY RUNTIME_DIRECTORY
if [ -z "${PRICE_ENV-}" ]; then
    # never the .env of the folder one happens to stand in
    PRICE_ENV=/dev/null
    [ ! -r /etc/price/price.env ] || PRICE_ENV=/etc/price/price.env
    export PRICE_ENV
fi
# the passwords that systemd hands to price-follow@.service; root alone can read them
[ "${1-}" != follow ] || export CREDENTIALS_DIRECTORY="${CREDENTIALS_DIRECTORY-/etc/price}"
python=/opt/price/venv/bin/python
if [ ! -x "$python" ]; then
    echo "price: $python is gone, perhaps with an upgrade of Python; install again: sudo make install" >&2
    exit 1
fi
# -E: PYTHONHOME and its like are about other programs
set -- "$python" -E -B /opt/price/main.py "$@"
if [ "$LOGS_DIRECTORY" = /var/log/price ] && [ "$(id -u)" = 0 ]; then
    # what root wrote there, the service could not go on with; journals may be read, for `repair`
    groups=systemd-journal
    ! getent group systemd-journal-remote >/dev/null || groups=$groups,systemd-journal-remote
    case "${5-run} $* " in
    *" --file"*) ;;
    "run "* | "repair "*) set -- setpriv --reuid price --regid price --groups "$groups" "$@" ;;
    esac
fi
exec "$@"
