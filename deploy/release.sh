#!/bin/sh
# Builds a release into dist/, with the Python $1: `make release`. It refuses a checkout that is not exactly what
# a tag vX.Y.Z names, and builds twice: what differs then is not published.
set -eu
umask 022
unset CDPATH PYTHONPATH PYTHONHOME
cd "$(dirname "$0")/.."
python=$1

fail() {
    echo "price: no release: $*" >&2
    exit 1
}
version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' price/__init__.py)
[ -z "$(git status --porcelain)" ] || fail "files differ from the last commit; see: git status"
[ "$(git rev-parse --quiet --verify "v$version^{commit}")" = "$(git rev-parse HEAD)" ] ||
    fail "price/__init__.py has version $version, and no tag v$version is at this commit; type: git tag v$version"
heading=$(sed -n 's/^## \([0-9][^ ]*\) - .*/\1/p' CHANGELOG.md | head -n 1)
[ "$heading" = "$version" ] ||
    fail "the first version in CHANGELOG.md is ${heading:-missing}, and not $version; give it a heading ## $version - DATE"
[ -z "$(sed -n '/^## Unreleased/,/^## [0-9]/p' CHANGELOG.md | grep '^-')" ] ||
    fail "CHANGELOG.md has lines under Unreleased; move them under ## $version"
packaged=$(sed -n '1s/^price (\(.*\)) .*/\1/p' deploy/debian/changelog)
[ "$packaged" = "$version" ] ||
    fail "the first version in deploy/debian/changelog is $packaged, and not $version; add an entry"

SOURCE_DATE_EPOCH=$(git log -1 --format=%ct HEAD)
export SOURCE_DATE_EPOCH
build() {
    mkdir "$1"
    "$python" -m hatchling build -d "$1" >/dev/null 2>&1 || fail "hatchling failed; see: $python -m hatchling build"
    deploy/build-deb.sh "$python" "$1" >/dev/null
    cp deploy/debian/vendor.txt "$1/price-$version-vendor.txt"
    (cd "$1" && sha256sum -- * >SHA256SUMS)
}
draft=$(mktemp -d)
trap 'rm -rf "$draft"' EXIT
build "$draft/first"
build "$draft/second"
diff "$draft/first/SHA256SUMS" "$draft/second/SHA256SUMS" >&2 || fail "two builds differ in the files above"
rm -rf dist
cp -R "$draft/first" dist
cat dist/SHA256SUMS
echo "price: release $version is in dist/, built twice and the same; git push origin v$version publishes the tag"
