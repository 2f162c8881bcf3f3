#!/usr/bin/env bash
#
# Usage: openssl.sh URL [CA-FILE]. URL is that of a running server; CA-FILE is what its TLS is checked with.
set -euo pipefail

url=${1:?the URL of a running server}
curl=(curl --silent --show-error --max-time 30)
[ -z "${2:-}" ] || curl+=(--cacert "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
passed=0

fail() { echo "FAILED: $*" >&2; exit 1; }
pass() { passed=$((passed + 1)); echo "ok: $*"; }

# post QUERY REPLY: prints the status.
post() {
    "${curl[@]}" --output "$2" --write-out '%{http_code}' --data-binary "@$1" \
        --header 'Content-Type: application/timestamp-query' "$url/api/v1/timestamp"
}

# split CHAIN PREFIX: one file for each certificate, PREFIX.0 first; prints how many.
split() {
    awk -v prefix="$2" '/BEGIN CERTIFICATE/ { file = prefix "." n++ } { print > file } END { print n }' "$1"
}

"${curl[@]}" --fail --output chain.pem "$url/api/v1/timestamp/certchain"
count=$(split chain.pem tsa)
[ "$count" -ge 2 ] || fail "the timestamp authority's chain has $count certificates"
root=tsa.$((count - 1))
cat $(seq -f 'tsa.%g' 0 $((count - 2))) > untrusted.pem
openssl verify -CAfile "$root" -untrusted untrusted.pem -purpose timestampsign -x509_strict tsa.0 > /dev/null ||
    fail "openssl does not accept the timestamp authority's chain"
pass "the chain of the timestamp authority, $count certificates"

echo "what is timestamped" > data
for hash in sha256 sha384 sha512; do
    for options in "-cert" "" "-cert -no_nonce" "-cert -tspolicy 1.3.6.1.4.1.57264.2"; do
        # Options are words.
        # shellcheck disable=SC2086
        openssl ts -query -data data "-$hash" $options -out query 2> /dev/null
        status=$(post query reply)
        case $status in 200 | 201) ;; *) fail "a query with $hash $options got $status" ;; esac
        openssl ts -verify -in reply -queryfile query -CAfile "$root" -untrusted untrusted.pem > /dev/null 2> errors ||
            { cat errors >&2; fail "openssl does not accept the token for $hash $options"; }
        openssl ts -verify -in reply -data data -CAfile "$root" -untrusted untrusted.pem > /dev/null 2>&1 ||
            fail "openssl does not accept the token for the data with $hash $options"
        echo "other data" > other
        ! openssl ts -verify -in reply -data other -CAfile "$root" -untrusted untrusted.pem > /dev/null 2>&1 ||
            fail "openssl accepts the token for other data"
        pass "a token for $hash ${options:-without options}"
    done
done

# refused WHAT TEXT-OF-OPENSSL: the query in the file `query` is refused in DER.
refused() {
    status=$(post query reply)
    [ "$status" = 400 ] || fail "$1 got $status, not 400"
    openssl ts -reply -in reply -text > text 2> errors || { cat errors >&2; fail "openssl cannot read the refusal of $1"; }
    grep -q '^Status: Rejected' text || fail "$1 is not rejected: $(cat text)"
    grep -qi "$2" text || fail "the refusal of $1 does not say '$2': $(cat text)"
    pass "the refusal of $1"
}

openssl ts -query -data data -sha1 -out query 2> /dev/null
refused "SHA-1" "unrecognized or unsupported algorithm"
openssl ts -query -data data -sha256 -tspolicy 1.2.3.4.5.6 -out query 2> /dev/null
refused "an unknown policy" "TSA policy is not supported"
openssl ts -query -data data -sha256 -out whole 2> /dev/null
head --bytes=20 whole > query
refused "a query that is cut off" "wrong format"
{ cat whole; printf '\0'; } > query
refused "a query with a byte after it" "wrong format"

# The certificate authority's chain, where there is one.
if "${curl[@]}" --fail --output bundle.json "$url/api/v2/trustBundle" 2> /dev/null; then
    python3 -c 'import json; print("".join(json.load(open("bundle.json"))["chains"][0]["certificates"]))' > ca.pem
    count=$(split ca.pem ca)
    openssl verify -CAfile "ca.$((count - 1))" -x509_strict ca.0 > /dev/null ||
        fail "openssl does not accept the certificate authority's chain"
    pass "the chain of the certificate authority, $count certificates"
fi

echo "REPORT openssl: $passed checks passed"
