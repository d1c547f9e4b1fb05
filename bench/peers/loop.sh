#!/bin/sh
# A shell loop: curl, jq and logger.
tick=0
while [ "$tick" -lt "$SLOTS" ]; do
    tick=$((tick + 1))
    price=-
    for url in $URLS; do
        found=$(curl --silent --max-time 0.8 --cacert "$CA" "$url" | jq --raw-output .price)
        price=${found:-$price}
    done
    row="$(date -u +%Y-%m-%dT%H:%M:%SZ) BTC-USD $price coinbase"
    echo "$row" >>"$FILE"
    logger --tag price "$row"
    sleep "$INTERVAL"
done
