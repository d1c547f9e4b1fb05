#!/bin/sh
# A private authority and a certificate for each name: docs/clusters.md.
# usage: make-certificates.sh FOLDER NAME...    (in FOLDER: ca.pem, ca.key, and NAME.pem and NAME.key of each)
# It may be run again for more names: the authority that is there signs them. Keep ca.key where nobody reads it.
set -eu
[ $# -ge 2 ] || { echo "usage: $0 FOLDER NAME..." >&2; exit 2; }
folder=$1
shift
umask 077
mkdir -p "$folder"
cd "$folder"
days=3650
if [ ! -e ca.key ]; then
    openssl req -x509 -newkey rsa:2048 -nodes -days $days -subj "/CN=price cluster" \
        -addext keyUsage=critical,keyCertSign,cRLSign -keyout ca.key -out ca.pem 2>/dev/null
fi
for name; do
    openssl req -newkey rsa:2048 -nodes -subj "/CN=$name" -keyout "$name.key" -out "$name.csr" 2>/dev/null
    # both uses: nodes of a cluster are servers and clients of each other
    printf 'subjectAltName=DNS:%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$name" >"$name.ext"
    openssl x509 -req -days $days -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial \
        -extfile "$name.ext" -out "$name.pem" 2>/dev/null
    rm "$name.csr" "$name.ext"
    echo "$folder/$name.pem"
done
chmod 644 ./*.pem
