//! The versions of the bundle format.

/// The version of a bundle, as its media type names it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum MediaType {
    /// `application/vnd.dev.sigstore.bundle+json;version=0.1`: log entries must have a promise.
    V0_1,
    /// `application/vnd.dev.sigstore.bundle+json;version=0.2`: log entries must have a proof.
    V0_2,
    /// `application/vnd.dev.sigstore.bundle+json;version=0.3`: no chains of Fulcio's certificates.
    V0_3Old,
    /// `application/vnd.dev.sigstore.bundle.v0.3+json`, the one to write.
    V0_3,
}

impl MediaType {
    const ALL: [Self; 4] = [Self::V0_1, Self::V0_2, Self::V0_3Old, Self::V0_3];

    /// The media type.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V0_1 => "application/vnd.dev.sigstore.bundle+json;version=0.1",
            Self::V0_2 => "application/vnd.dev.sigstore.bundle+json;version=0.2",
            Self::V0_3Old => "application/vnd.dev.sigstore.bundle+json;version=0.3",
            Self::V0_3 => "application/vnd.dev.sigstore.bundle.v0.3+json",
        }
    }

    /// The version that has this media type.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.name() == name)
    }

    /// Whether a certificate of Fulcio's stands alone, without a chain.
    #[must_use]
    pub const fn has_single_certificate(self) -> bool {
        matches!(self, Self::V0_3Old | Self::V0_3)
    }
}
