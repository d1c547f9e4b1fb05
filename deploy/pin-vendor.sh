#!/bin/sh
# Prints deploy/debian/vendor.txt as it should be: run it after a version in requirements.txt was changed, as
# `deploy/pin-vendor.sh .venv/bin/python >draft && mv draft deploy/debian/vendor.txt`, and read what differs.
# It takes the newest of the libraries that requests needs.
set -eu
unset CDPATH
cd "$(dirname "$0")/.."
python=$1
draft=$(mktemp -d)
trap 'rm -rf "$draft"' EXIT
pin() { sed -n "s/^\($1==[^;[]*\).*/\1/p" requirements.txt requirements-chart.txt requirements-follow.txt; }
get() {
    "$python" -I -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --dest "$draft" "$@"
}
get --platform any $(pin requests) $(pin python-dotenv) $(pin plotext) $(pin nats-py) \
    certifi charset-normalizer idna 'urllib3<3'
for machine in x86_64 aarch64; do
    for version in 311 312 313 314; do
        get --implementation cp --python-version "$version" --platform "manylinux_2_34_$machine" $(pin cysystemd)
    done
done
echo "# What is in the Debian package beside price: made by deploy/pin-vendor.sh, looked at by a person."
(cd "$draft" && sha256sum ./*.whl) | sed 's|^\([0-9a-f]*\)  \./\([^-]*\)-\([^-]*\)-.*|\2==\3 \1|' | tr _ - |
    sort | awk '$1 != last { if (last) print ""; printf "%s", $1; last = $1 } { printf " \\\n    --hash=sha256:%s", $2 }
        END { print "" }'
