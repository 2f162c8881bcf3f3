//! Which of the images that a name stands for: the flags of all commands about images.

use client::image::subject::Selection;
use oci::Platform;

use crate::online::Threads;

/// Which of the images that a name stands for.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct SelectionArgs {
    /// Of a multi-platform image, only the one for this platform, such as linux/arm64
    #[arg(long, value_name = "OS/ARCHITECTURE", conflicts_with = "recursive")]
    platform: Option<Platform>,
    /// Of a multi-platform image, the index and every image in it
    #[arg(long, short)]
    recursive: bool,
}

impl SelectionArgs {
    /// What is meant.
    pub(crate) fn selection(&self) -> Selection {
        match (&self.platform, self.recursive) {
            (Some(platform), _) => Selection::Platform(platform.clone()),
            (None, true) => Selection::Recursive,
            (None, false) => Selection::Itself,
        }
    }
}

/// The threads for work on the images of so many names.
pub(crate) fn threads(names: usize, selection: &Selection) -> Threads {
    match selection {
        Selection::Recursive => Threads::PerProcessor,
        Selection::Itself | Selection::Platform(_) => Threads::for_things(names),
    }
}

/// Which of the images that a name stands for, where it is one or the index as such.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct PlatformArgs {
    /// Of a multi-platform image, only the one for this platform, such as linux/arm64
    #[arg(long, value_name = "OS/ARCHITECTURE")]
    platform: Option<Platform>,
}

impl PlatformArgs {
    /// What is meant.
    pub(crate) fn selection(&self) -> Selection {
        self.platform.clone().map_or(Selection::Itself, Selection::Platform)
    }
}
