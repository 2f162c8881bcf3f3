#!/usr/bin/env bash
# title: hostile statements, predicates, conditions and lists: each refused, each beside a twin that is good
set -euo pipefail
cd "$(dirname "$0")/../.."
# Statements: another type or none, no JSON, a list, several documents, too many subjects (client.md 7.1).
cargo test --quiet --package verify --test bundles payload
# Predicates that lack what their type requires, lists that lead elsewhere, releases with what is no file.
cargo test --quiet --package client --lib -- predicate checksums release maven
# Conditions that would run for ever or fill the memory.
cargo test --quiet --package cli --test conditions
