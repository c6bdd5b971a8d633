#!/bin/sh
# Starts the S3 store: keys from secret files, telemetry off, its inner ports behind keys of their
# own, because the parts of the store ask each other for none by default. Options of `weed mini`
# may follow.
set -eu
umask 077

secrets=${SECRETS_DIR:-/run/secrets}
home=${HOME:-/data}
AWS_ACCESS_KEY_ID=$(cat "$secrets/s3_access_key")
AWS_SECRET_ACCESS_KEY=$(cat "$secrets/s3_secret_key")
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY

key() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

mkdir -p "$home/store" "$home/.seaweedfs"
if [ ! -s "$home/.seaweedfs/security.toml" ]; then
    cat >"$home/.seaweedfs/security.toml.new" <<TOML
[jwt.signing]
key = "$(key)"
[jwt.signing.read]
key = "$(key)"
[jwt.filer_signing]
key = "$(key)"
[jwt.filer_signing.read]
key = "$(key)"
TOML
    mv "$home/.seaweedfs/security.toml.new" "$home/.seaweedfs/security.toml"
fi

cd "$home/.seaweedfs"
exec weed -logtostderr=true mini -dir="$home/store" -ip=127.0.0.1 -ip.bind=0.0.0.0 \
    -admin.ui=false -webdav=false -master.telemetry=false -s3.port.iceberg=0 -s3.port.lance=0 \
    -s3.localSocket="${TMPDIR:-/tmp}/s3.sock" -filer.localSocket="${TMPDIR:-/tmp}/filer.sock" "$@"
