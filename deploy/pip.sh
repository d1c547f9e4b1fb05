#!/bin/sh
# Installs into the environment $1 what the other words name: deploy/pip.sh .venv -r requirements.txt
#
# Where packages come from stays as it is set here (PIP_INDEX_URL, PIP_FIND_LINKS, pip.conf and so on). Where
# they go, and whether they do, is for this script alone: PIP_USER, PIP_TARGET, PIP_DRY_RUN and their like would
# leave the environment empty, and an empty one is told to `make run`, which would come here again.
set -eu
unset CDPATH
venv=$(cd "$1" && pwd)
shift
for name in $(env | sed -n 's/^\(PIP_[A-Z0-9_]*\)=.*/\1/p'); do
    case $name in
    *INDEX_URL | PIP_NO_INDEX | PIP_FIND_LINKS | PIP_TRUSTED_HOST | PIP_PROXY | PIP_CERT | PIP_CLIENT_CERT) ;;
    PIP_KEYRING_PROVIDER | PIP_*TIMEOUT | PIP_RETRIES | PIP_CACHE_DIR | PIP_NO_CACHE_DIR | PIP_CONFIG_FILE) ;;
    *) unset "$name" ;;
    esac
done
# -I: no PYTHONHOME, no packages of the user's; the rest: what pip.conf says of the place does not count
"$venv/bin/python" -I -m pip install --quiet --disable-pip-version-check --no-input --root-user-action=ignore \
    --no-user --target= --prefix="$venv" --root=/ "$@"
"$venv/bin/python" -I -c "import dotenv, requests" 2>/dev/null || {
    echo "price: pip succeeded, but put nothing into $venv; its settings say why: $venv/bin/pip config list" >&2
    exit 1
}
