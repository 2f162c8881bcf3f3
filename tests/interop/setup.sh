#!/usr/bin/env bash
# Installs the foreign programs that the slower suites need, below $BULLA_FOREIGN. What is there is left alone.
#   setup.sh cosign | python | js | browser | proxy | strace | openssl | rekor-tiles | deny | registry | podman | gitsign |
#            syft | model-signing ...
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=versions.env
. "$here/versions.env"
foreign=${BULLA_FOREIGN:-$HOME/.cache/bulla/foreign}
mkdir -p "$foreign"
export GOTOOLCHAIN=local

apt() {
    local missing=()
    for package in "$@"; do
        dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
    done
    [ ${#missing[@]} = 0 ] && return
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# debian_programs NAME…: programs of the Debian that versions.env names, whatever this machine runs, beside its own: with the
# libraries that they need, and bound to these. apt checks the archive's signatures.
debian_programs() {
    local to="$foreign/debian-$DEBIAN" apt_here program
    [ -d "$to" ] && return
    apt patchelf
    rm -rf "$to.new"
    mkdir -p "$to.new/apt/lists/partial" "$to.new/apt/cache/archives/partial"
    : >"$to.new/apt/status"
    printf '%s\n' 'Types: deb' 'URIs: http://deb.debian.org/debian' "Suites: $DEBIAN" 'Components: main' \
        'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg' >"$to.new/apt/this.sources"
    apt_here=(apt-get -qq -o "Dir::Etc::sourcelist=$to.new/apt/this.sources" -o Dir::Etc::sourceparts=/dev/null
        -o "Dir::State::lists=$to.new/apt/lists" -o "Dir::State::status=$to.new/apt/status" -o "Dir::Cache=$to.new/apt/cache")
    "${apt_here[@]}" update
    "${apt_here[@]}" install -y --no-install-recommends --download-only "$@"
    for package in "$to.new"/apt/cache/archives/*.deb; do dpkg -x "$package" "$to.new"; done
    rm -rf "$to.new/apt"
    for program in "$@" conmon; do
        patchelf --set-interpreter "$to/usr/lib64/ld-linux-x86-64.so.2" \
            --force-rpath --set-rpath "$to/usr/lib/x86_64-linux-gnu" "$to.new/usr/bin/$program"
    done
    mv "$to.new" "$to"
}

# go_build NAME PACKAGE VERSION: where a module proxy lacks the list of versions that `go install` asks for, the module
# itself may still be had. The package is the module's own.
go_build() {
    (cd "$foreign" && go mod download "$2@$3")
    (cd "$(go env GOMODCACHE)/$2@$3" && go build -o "$foreign/$1-$3.new/$1" .)
}

# go_tool NAME PACKAGE VERSION: one program in a folder of its version.
go_tool() {
    [ -x "$foreign/$1-$3/bin/$1" ] && return
    rm -rf "$foreign/$1-$3.new"
    mkdir -p "$foreign/$1-$3.new"
    GOBIN="$foreign/$1-$3.new" go install "$2@$3" || go_build "$1" "$2" "$3"
    mkdir -p "$foreign/$1-$3/bin"
    mv "$foreign/$1-$3.new/"* "$foreign/$1-$3/bin/$1"
    rmdir "$foreign/$1-$3.new"
}

# venv NAME MARK PACKAGE…: a Python environment, with a file that says it was made whole.
venv() {
    local place=$foreign/$1 mark=$2
    [ -e "$place/$mark" ] && return
    rm -rf "$place"
    python3 -m venv "$place"
    "$place/bin/pip" install --quiet "${@:3}"
    touch "$place/$mark"
}

for what in "$@"; do
    case $what in
        cosign)
            go_tool cosign github.com/sigstore/cosign/v3/cmd/cosign "$COSIGN_V3"
            go_tool cosign github.com/sigstore/cosign/v2/cmd/cosign "$COSIGN_V2"
            ;;
        rekor-tiles)
            go_tool rekor-tiles github.com/sigstore/rekor-tiles/v2/cmd/rekor-server/posix "$REKOR_TILES"
            ;;
        python)
            venv "python-$SIGSTORE_PYTHON-$TUF_PYTHON" complete "sigstore==$SIGSTORE_PYTHON" "tuf==$TUF_PYTHON"
            ;;
        js)
            modules="$foreign/js-$SIGSTORE_JS-$PLAYWRIGHT_CORE"
            if [ ! -e "$modules/complete" ]; then
                rm -rf "$modules"
                mkdir -p "$modules"
                (cd "$modules" && npm init -y >/dev/null &&
                    npm install --silent --no-audit --no-fund "sigstore@$SIGSTORE_JS" "playwright-core@$PLAYWRIGHT_CORE" >/dev/null 2>&1)
                touch "$modules/complete"
            fi
            ;;
        model-signing)
            # It imports OpenSSL without asking for it.
            venv "model-signing-$MODEL_SIGNING" "complete-$PYOPENSSL" "model-signing==$MODEL_SIGNING" "pyopenssl==$PYOPENSSL"
            ;;
        registry)
            apt docker-registry skopeo
            go_tool crane github.com/google/go-containerregistry/cmd/crane "$GO_CONTAINERREGISTRY"
            # A registry with the referrers API: built again where its source has changed.
            built="$foreign/oci-registry-$GO_CONTAINERREGISTRY/bin"
            if [ ! -x "$built/oci-registry" ] || [ "$here/registry/main.go" -nt "$built/oci-registry" ]; then
                mkdir -p "$built"
                (cd "$here/registry" && go build -o "$built/oci-registry" .)
                touch "$built/oci-registry"
            fi
            ;;
        podman)
            debian_programs podman skopeo
            # The library that both verify with, as its authors publish it.
            pull="$foreign/pull-with-policy-$CONTAINERS_IMAGE/bin"
            if [ ! -x "$pull/pull-with-policy" ]; then
                mkdir -p "$pull"
                (cd "$here/pull-with-policy" && CGO_ENABLED=0 go build -o "$pull/" \
                    -tags "containers_image_openpgp containers_image_storage_stub containers_image_docker_daemon_stub" .)
            fi
            ;;
        gitsign) go_tool gitsign github.com/sigstore/gitsign "$GITSIGN" ;;
        syft) go_tool syft github.com/anchore/syft/cmd/syft "$SYFT" ;;
        browser) apt chromium ;;
        proxy) apt nginx-light ;;
        strace) apt strace ;;
        openssl) apt openssl ;;
        deny)
            [ -x "$foreign/bin/cargo-deny" ] && "$foreign/bin/cargo-deny" --version | grep -q "$CARGO_DENY" && continue
            cargo install --quiet --locked --root "$foreign" --version "$CARGO_DENY" cargo-deny
            ;;
        *) echo "setup.sh does not know $what" >&2; exit 2 ;;
    esac
done
