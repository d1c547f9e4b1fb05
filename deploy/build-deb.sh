#!/bin/sh
# Builds the Debian packages for amd64 and arm64 into $2, with the pip and the libraries of the Python $1:
# `make deb`. Nothing is compiled: wheels of each CPython lie side by side, as deploy/debian/vendor.txt pins
# them. The same files and SOURCE_DATE_EPOCH make the same packages, byte for byte.
set -eu
umask 022
unset CDPATH PYTHONPATH PYTHONHOME
cd "$(dirname "$0")/.."
python=$1
mkdir -p "$2"
out=$(cd "$2" && pwd)

fail() {
    echo "price: $*" >&2
    exit 1
}
tools="debhelper dpkg-dev unzip binutils-x86-64-linux-gnu binutils-aarch64-linux-gnu"
for tool in dh dpkg-buildpackage unzip x86_64-linux-gnu-strip aarch64-linux-gnu-strip; do
    command -v "$tool" >/dev/null ||
        fail "there is no $tool, which makes packages; type: sudo apt-get install --no-install-recommends $tools"
done
[ -e price/web/static/vendor ] || fail "the chart of the page is not there yet; type: make web"
version=$("$python" -B -c 'import price; print(price.__version__)')
[ "$version" = "$(dpkg-parsechangelog -l deploy/debian/changelog -S Version)" ] ||
    fail "price/__init__.py has version $version, deploy/debian/changelog another; make them the same"

draft=$(mktemp -d)
trap 'rm -rf "$draft"' EXIT

# Fills wheels/ with what vendor.txt pins, from the network or from where pip is told to look.
download() {
    for machine in x86_64 aarch64; do
        for cpython in 311 312 313 314; do
            "$python" -I -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
                --require-hashes --requirement deploy/debian/vendor.txt --dest "$1" \
                --implementation cp --python-version "$cpython" --platform "manylinux_2_34_$machine"
        done
    done
}
# kept in the folder DEB_WHEELS for the next build
wheels=${DEB_WHEELS:-$draft}/wheels-deb-$(sha256sum deploy/debian/vendor.txt | cut -c 1-12)
if [ ! -e "$wheels" ]; then
    new=$(mktemp -d "$wheels.XXXXXX")
    chmod 755 "$new"
    download "$new"
    # another build may have brought them meanwhile
    mv -T "$new" "$wheels" 2>/dev/null || rm -rf "$new"
fi

tree=$draft/price-$version
mkdir "$tree"
cp -R main.py price deploy docs env.example CHANGELOG.md README.md LICENSE "$tree"
cp -R deploy/debian "$tree/debian"
cp -R "$wheels" "$tree/wheels"
find "$tree" -name __pycache__ -prune -exec rm -rf {} +
"$python" deploy/make-completion.py "$tree/share" >/dev/null
for machine in amd64 arm64; do
    (cd "$tree" && dpkg-buildpackage --build=any --host-arch="$machine" --no-check-builddeps \
        --unsigned-changes --unsigned-buildinfo --post-clean) >"$draft/log" 2>&1 ||
        fail "the package for $machine was not built: $(cat "$draft/log")"
done
mv "$draft"/price_*.deb "$out"
ls "$out"/price_"$version"_*.deb
