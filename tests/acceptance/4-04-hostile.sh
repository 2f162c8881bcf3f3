#!/usr/bin/env bash
# title: hostile signatures of git objects, row for row against the advisories, each with a good twin
set -euo pipefail
cd "$(dirname "$0")/../.."
exec cargo test --package client --test git
