//! Whether the server is fit for work, and if not, why.

use serde::Serialize;

use super::Sample;

/// What one part says about itself.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Check {
    /// The part, such as `rekor-v2`.
    pub name: String,
    /// How it is.
    pub condition: Condition,
    /// Why, and what the operator can do; empty if all is well.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// How a part is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// All is well.
    Ready,
    /// It works, but someone should look at it.
    Warning,
    /// It does not work.
    NotReady,
}

impl Check {
    /// A part of which nothing bad can be said.
    pub fn ready(name: impl Into<String>) -> Self {
        Self { name: name.into(), condition: Condition::Ready, reason: String::new() }
    }

    /// A part that someone should look at.
    pub fn warning(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { name: name.into(), condition: Condition::Warning, reason: reason.into() }
    }

    /// A part that does not work.
    pub fn not_ready(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { name: name.into(), condition: Condition::NotReady, reason: reason.into() }
    }
}

type Probe = Box<dyn Fn() -> Check + Send + Sync>;
type Gauge = Box<dyn Fn() -> Vec<Sample> + Send + Sync>;

/// Everything that can be asked how it is. Questions are answered from memory, never by work.
#[derive(Default)]
pub struct Readiness {
    probes: Vec<Probe>,
    gauges: Vec<Gauge>,
}

impl Readiness {
    /// Adds a part that can be asked.
    pub fn probe(&mut self, probe: impl Fn() -> Check + Send + Sync + 'static) {
        self.probes.push(Box::new(probe));
    }

    /// Adds figures that are read when metrics are.
    pub fn gauge(&mut self, gauge: impl Fn() -> Vec<Sample> + Send + Sync + 'static) {
        self.gauges.push(Box::new(gauge));
    }

    /// Asks every part.
    #[must_use]
    pub fn checks(&self) -> Vec<Check> {
        self.probes.iter().map(|probe| probe()).collect()
    }

    /// Reads every figure.
    #[must_use]
    pub fn samples(&self) -> Vec<Sample> {
        self.gauges.iter().flat_map(|gauge| gauge()).collect()
    }
}
