//! Inclusion proofs, and the checkpoints that they lead to.

use merkle::note::{KeyId, Verifier};
use merkle::{Checkpoint, Hash, LeafIndex, SignedNote, TreeSize, verify_inclusion};
use wire::bundle::InclusionProof;

use super::LogError;
use crate::entry::BoundEntry;

/// The log's own name and the size of the tree in which the entry is.
type Tree = (String, u64);

/// Rekor v1: the index counts within the shard, and the proof says which tree it is for. Bundles of
/// version 0.1 may have no proof, or one without checkpoint, but must then have a promise.
pub(super) fn verify_v1(bound: &BoundEntry<'_>) -> Result<Option<Tree>, LogError> {
    let promised = bound.entry.inclusion_promise.is_some();
    let Some(proof) = &bound.entry.inclusion_proof else {
        return if bound.promise_suffices && promised { Ok(None) } else { Err(LogError::NoProof) };
    };
    if bound.promise_suffices && !promised {
        return Err(LogError::NoPromise);
    }
    let root = Hash::new(proof.root_hash.ok_or(LogError::NoProof)?);
    include(bound, proof, proof.log_index, proof.tree_size, root)?;
    if proof.checkpoint.is_empty() && bound.promise_suffices {
        return Ok(None);
    }
    let (note, checkpoint) = read_checkpoint(proof)?;
    // The origin is `<name> - <tree id>`; lines are signed with the name alone.
    let name = checkpoint.origin.split_once(" - ").map_or(&*checkpoint.origin, |(name, _)| name);
    let key = &bound.log.key;
    let verifier = Verifier::with_id(name, KeyId::of_key(key), key.clone());
    verifier.verify(&note).map_err(LogError::Unsigned)?;
    same_tree(proof, &checkpoint)?;
    Ok(Some((checkpoint.origin, checkpoint.size.get())))
}

/// Rekor v2: the checkpoint says which tree it is; what the proof says beside must not differ.
pub(super) fn verify_v2(bound: &BoundEntry<'_>) -> Result<Tree, LogError> {
    let proof = bound.entry.inclusion_proof.as_ref().ok_or(LogError::NoProof)?;
    let (note, checkpoint) = read_checkpoint(proof)?;
    let origin = checkpoint.origin.as_str();
    if !bound.log.is_named(origin) {
        let log = bound.log.base_url().to_owned();
        return Err(LogError::Origin { origin: origin.to_owned(), log });
    }
    let verifier = Verifier::new(origin, bound.log.key.clone());
    if verifier.id().as_bytes() != bound.entry.log_id.as_slice() {
        return Err(LogError::LogId { origin: origin.to_owned() });
    }
    verifier.verify(&note).map_err(LogError::Unsigned)?;
    same_tree(proof, &checkpoint)?;
    if proof.log_index != bound.entry.log_index {
        let (entry, proof) = (bound.entry.log_index, proof.log_index);
        return Err(LogError::Index { entry, proof });
    }
    include(bound, proof, bound.entry.log_index, checkpoint.size.get(), checkpoint.root)?;
    Ok((checkpoint.origin, checkpoint.size.get()))
}

fn read_checkpoint(proof: &InclusionProof) -> Result<(SignedNote, Checkpoint), LogError> {
    if proof.checkpoint.is_empty() {
        return Err(LogError::NoCheckpoint);
    }
    let note = SignedNote::parse(proof.checkpoint.as_bytes()).map_err(LogError::Note)?;
    let checkpoint = note.text().parse().map_err(LogError::Checkpoint)?;
    Ok((note, checkpoint))
}

/// What the proof says about the tree must be what the log signed. Rekor v2 may leave it out.
fn same_tree(proof: &InclusionProof, checkpoint: &Checkpoint) -> Result<(), LogError> {
    if proof.root_hash.is_some_and(|root| root != *checkpoint.root.as_bytes()) {
        return Err(LogError::Root);
    }
    let size = checkpoint.size.get();
    if proof.tree_size != 0 && proof.tree_size != size {
        return Err(LogError::Size { checkpoint: size, proof: proof.tree_size });
    }
    Ok(())
}

fn include(
    bound: &BoundEntry<'_>,
    proof: &InclusionProof,
    index: u64,
    size: u64,
    root: Hash,
) -> Result<(), LogError> {
    let path: Vec<_> = proof.hashes.iter().copied().map(Hash::new).collect();
    verify_inclusion(bound.leaf, LeafIndex::new(index), &path, TreeSize::new(size), root)
        .map_err(LogError::Inclusion)
}
