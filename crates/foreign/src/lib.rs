//! Keys and signatures of other systems, as the transparency log reads them.
//!
//! One file per format. Each knows what the format's keys and signatures look like, the canonical form in which
//! they go into a log, and the names under which their owner is found. It decides no trust.
//!
//! Start reading at [`x509`], the format of Sigstore itself.

pub mod x509;
