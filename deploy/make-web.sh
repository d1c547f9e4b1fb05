#!/bin/sh
# Brings what the page of `price web` draws its chart with: `make web`. The ordinary npm client fetches it, exactly
# as price/web/package-lock.json names it, and runs none of its scripts; nothing of it is committed.
set -eu
unset CDPATH
cd "$(dirname "$0")/../price/web"
if ! command -v npm >/dev/null; then
    echo "price: web needs npm to fetch its chart; type: sudo apt-get install --no-install-recommends npm" >&2
    exit 1
fi
draft=$(mktemp -d)
trap 'rm -rf "$draft"' EXIT
cp package.json package-lock.json "$draft"
(cd "$draft" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error --fetch-retries=1 --fetch-timeout=20000)
found=$draft/node_modules/uplot
mkdir -p static/vendor
install -m 644 "$found/dist/uPlot.iife.min.js" "$found/dist/uPlot.min.css" static/vendor
install -m 644 "$found/LICENSE" static/vendor/LICENSE.txt
echo "price: the chart is in price/web/static/vendor; price web serves it after its next start"
