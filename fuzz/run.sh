#!/usr/bin/env bash
# Replays every corpus and then runs each target for a while: run.sh [SECONDS, 5 by default]. On the stable toolchain.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-5}
shared=${BULLA_SHARED:-../../shared}
host=$(rustc -vV | sed -n 's/^host: //p')
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/fuzz
RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing" \
    cargo build --quiet --release --target "$host"
program=$CARGO_TARGET_DIR/$host/release/fuzz
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Real inputs to begin with, read where they stand: a target, and the files that are its language.
seeds() {
    case $1 in
        bundle) find "$shared/data/conformance" "$shared/data/local-deployment" -name '*.sigstore.json' ;;
        trusted_root) find "$shared/data" -name 'trusted_root.json' ;;
        signing_config) find "$shared/data" -name 'signing_config*.json' ;;
        client_trust_config) find "$shared/data" -name 'client_trust_config.json' ;;
        rekor_v1_entry) find "$shared/data/rekor/"{hashedrekord,dsse,intoto,request} -name proposed.json ;;
        rekor_v2_request | rekor_v2_entry) find "$shared/data/rekor-v2" -name request.json ;;
        body) find "$shared/data/rekor/"{hashedrekord,dsse,intoto} "$shared/data/rekor-v2" -name canonical.json ;;
        timestamp_request) find "$shared/data/tsa" -name request.der ;;
        timestamp_response) find "$shared/data/tsa" -name reply.der ;;
        timestamp_json) find "$shared/data/tsa" -name request.json ;;
        jwk_set) find "$shared/data/fulcio" -name jwks.json ;;
        fulcio_request) find "$shared/data/fulcio"/{http,issued} -name request.json ;;
        fulcio_answer) find "$shared/data/fulcio/http" -name response.json ;;
        log_entry) find "$shared/data/rekor-v2/answers" -name response.json ;;
        fulcio_config) find "$shared/data/fulcio" -name 'config.yaml' ;;
        tuf_metadata) find "$shared/data/trust/tuf-public-good" -name '*.json' ;;
        pem | x509_key) find "$shared/data" -name '*.pem' -o -name '*.pub' ;;
        note | checkpoint) find "$shared/data/tiles" -name checkpoint ;;
    esac 2>/dev/null
}

targets=$({ FUZZ_TARGET=none "$program" 2>&1 || true; } | sed -n 's/.*is one of: //p')
for target in $targets; do
    mkdir -p "$work/$target" "corpus/$target"
    { seeds "$target" || true; } | sed -n '1,400p' | while read -r file; do cp "$file" "$work/$target/$(sha256sum "$file" | cut -c1-16)"; done
    export FUZZ_TARGET=$target
    # First every file as it is, then new ones. Found inputs go to the temporary corpus; crashes to the artifacts.
    "$program" -runs=0 -rss_limit_mb=2048 "corpus/$target" "$work/$target" >"$work/log" 2>&1 || { cat "$work/log"; echo "$target: the corpus does not pass"; exit 1; }
    "$program" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=2048 -max_len=65536 -artifact_prefix="$work/" "$work/$target" "corpus/$target" \
        >"$work/log" 2>&1 || { tail -n 40 "$work/log"; echo "$target: crashed"; exit 1; }
    runs=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$work/log")
    echo "REPORT fuzz $target: $runs runs in $seconds s, $(find "$work/$target" -type f | wc -l) inputs"
done
