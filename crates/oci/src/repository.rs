//! One repository of a registry.

mod attach;
mod detach;
mod list;
mod push;
mod read;

use std::fmt;
use std::sync::Arc;

use net::Method;

use crate::host::{Ask, Host, Place, Scope};
use crate::{Access, Reference};

/// A repository of a registry. Cheap to clone.
#[derive(Clone)]
pub struct Repository(Arc<Inner>);

struct Inner {
    host: Arc<Host>,
    scope: Scope,
    /// Where to look first.
    mirrors: Vec<Repository>,
}

impl Repository {
    pub(crate) fn new(
        host: Arc<Host>,
        reference: &Reference,
        access: Access,
        mirrors: Vec<Self>,
    ) -> Self {
        let scope = Scope { repository: reference.repository().to_owned(), access, also: None };
        Self(Arc::new(Inner { host, scope, mirrors }))
    }

    /// The registry's name, as references have it.
    #[must_use]
    pub fn registry(&self) -> &str {
        self.0.host.name()
    }

    /// Something to be asked of this repository.
    fn ask(&self, method: Method, path: &str) -> Ask {
        Ask::new(method, Place::Path(format!("/v2/{}/{path}", self.0.scope.repository)))
    }

    /// Whether nothing is written here. Who writes does not read from a mirror what can change: it would write back what is
    /// old.
    fn only_reads(&self) -> bool {
        self.0.scope.access == Access::Pull
    }

    /// How a part of the repository is called in a message.
    fn name(&self, part: &impl fmt::Display) -> String {
        format!("{part} in {self}")
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0.host.name(), self.0.scope.repository)
    }
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Repository({self})")
    }
}
