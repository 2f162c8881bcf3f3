//! Signature algorithms as `AlgorithmIdentifier` names them.

/// A signature algorithm is unknown, weak, or does not fit.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the signature algorithm {oid} is not accepted")]
pub struct AlgorithmError {
    /// The algorithm in dotted form, or `?` if it is not even an identifier.
    pub oid: String,
}
