//! Layouts on disk, and what is wrong with some.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic, in its helpers too")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use oci::{AccessError, Descriptor, Digest, Document, FetchError, Layout, Manifest, Store, Target};
use tempfile::TempDir;

/// A layout with one image, `v1`, in a directory.
async fn layout() -> (TempDir, PathBuf, Descriptor) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("layout");
    let image = push(&Store::Layout(Layout::create(&path).unwrap())).await;
    (directory, path, image)
}

async fn push(store: &Store) -> Descriptor {
    store.push_blob(Bytes::from_static(b"{}")).await.unwrap();
    store.push_blob(Bytes::from_static(b"a layer")).await.unwrap();
    let image = Manifest::new(Descriptor::empty(), vec![Descriptor::of("a/b", b"a layer")]);
    let image = Document::of_manifest(image);
    store.push_document(&image, Some("v1")).await.unwrap();
    image.descriptor()
}

/// Everything that a reader does.
async fn read(path: &Path) -> Result<(), String> {
    let say = |error: &dyn std::error::Error| error.to_string();
    let store = Store::Layout(Layout::open(path).map_err(|error| say(&error))?);
    let image = store.fetch(&Target::tag("v1").unwrap()).await.map_err(|error| say(&error))?;
    for layer in &image.manifest().unwrap().layers {
        store.blob(layer, 100).await.map_err(|error| say(&error))?;
    }
    Ok(())
}

fn blob(path: &Path, content: &[u8]) -> PathBuf {
    path.join("blobs/sha256").join(Digest::of(content).to_hex())
}

#[tokio::test]
async fn an_archive_is_a_layout_like_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["layout", "layout.tar"] {
        let path = directory.path().join(name);
        let image = push(&Store::Layout(Layout::create(&path).unwrap())).await;
        assert_eq!(path.is_file(), name == "layout.tar");
        read(&path).await.unwrap();
        let layout = Layout::open(&path).unwrap();
        assert_eq!(layout.images().unwrap().len(), 1);
        let store = Store::Layout(layout);
        // Another program adds to it.
        let again = Store::Layout(Layout::open(&path).unwrap());
        again.push_blob(Bytes::from_static(b"said")).await.unwrap();
        let mut about = Manifest::new(Descriptor::empty(), vec![Descriptor::of("a/b", b"said")]);
        about.subject = Some(image.bare());
        again.attach(&Document::of_manifest(about)).await.unwrap();
        let store =
            if path.is_file() { Store::Layout(Layout::open(&path).unwrap()) } else { store };
        let [referrer] = &store.referrers(&image.digest).await.unwrap()[..] else { panic!() };
        let document = store.document(referrer).await.unwrap();
        assert_eq!(store.blob(&document.manifest().unwrap().layers[0], 10).await.unwrap(), "said");
        assert_eq!(store.tags().await.unwrap(), ["v1"]);
        store.delete(&Target::Digest(referrer.digest)).await.unwrap();
        assert_eq!(store.referrers(&image.digest).await.unwrap(), []);
        read(&path).await.unwrap();
    }
}

/// A referrer of `image` with notes of about so many bytes.
fn noted(image: &Descriptor, bytes: usize) -> Document {
    let mut about = Manifest::new(Descriptor::empty(), Vec::new());
    about.subject = Some(image.bare());
    about.annotations.insert("note".to_owned(), "x".repeat(bytes));
    Document::of_manifest(about)
}

#[tokio::test]
async fn a_referrer_is_found_however_long_a_document_may_be() {
    let (_directory, path, image) = layout().await;
    let store = Store::Layout(Layout::open(&path).unwrap());
    let longest = (4 << 20) - noted(&image, 0).bytes().len();
    for bytes in [0, 300 << 10, longest] {
        store.attach(&noted(&image, bytes)).await.unwrap();
    }
    // Neither are layers, whose first byte says so, nor texts that only begin as a document does.
    for other in [&b"\x1f\x8b compressed"[..], b"{ no document", b"", b"\n\n"] {
        store.push_blob(Bytes::copy_from_slice(other)).await.unwrap();
    }
    assert_eq!(store.referrers(&image.digest).await.unwrap().len(), 3);
}

#[tokio::test]
async fn more_blobs_than_are_looked_at_are_no_list_without_some() {
    let (_directory, path, image) = layout().await;
    let store = Store::Layout(Layout::open(&path).unwrap());
    store.attach(&noted(&image, 0)).await.unwrap();
    let blobs = || fs::read_dir(path.join("blobs/sha256")).unwrap().count();
    let some = |count: usize| {
        let first = blobs();
        for number in first..count {
            fs::write(blob(&path, &number.to_le_bytes()), "").unwrap();
        }
    };
    some(20_000);
    assert_eq!(store.referrers(&image.digest).await.unwrap().len(), 1);
    some(20_001);
    let error = store.referrers(&image.digest).await.unwrap_err();
    assert!(matches!(error, FetchError::TooMany { limit: 20_000, .. }), "{error}");
}

#[tokio::test]
async fn a_tag_moves_to_what_was_put_last() {
    let (_directory, path, _) = layout().await;
    let store = Store::Layout(Layout::open(&path).unwrap());
    let other = Document::of_manifest(Manifest::new(Descriptor::empty(), Vec::new()));
    store.push_document(&other, Some("v1")).await.unwrap();
    assert_eq!(store.resolve(&Target::tag("v1").unwrap()).await.unwrap(), other.descriptor());
    let error = store.resolve(&Target::tag("v2").unwrap()).await.unwrap_err();
    assert!(matches!(error, FetchError::Missing { .. }), "{error}");
}

#[tokio::test]
async fn of_many_writers_to_one_directory_none_loses_an_entry() {
    let (_directory, path, image) = layout().await;
    let writers: Vec<_> = (0..20)
        .map(|number| {
            let (path, image) = (path.clone(), image.clone());
            std::thread::spawn(move || {
                let mut about = Manifest::new(Descriptor::empty(), Vec::new());
                about.subject = Some(image.bare());
                about.annotations.insert("number".to_owned(), number.to_string());
                let store = Store::Layout(Layout::open(&path).unwrap());
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(store.attach(&Document::of_manifest(about))).unwrap();
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    let json: serde_json::Value =
        serde_json::from_slice(&fs::read(path.join("index.json")).unwrap()).unwrap();
    assert_eq!(json["manifests"].as_array().unwrap().len(), 21);
}

/// <https://github.com/advisories/GHSA-fxhp-mv3v-67qp>
#[tokio::test]
async fn links_in_a_directory_are_refused() {
    for link in ["index.json", "oci-layout", "blobs", "blobs/sha256", "layer", "image"] {
        let (directory, path, image) = layout().await;
        let place = match link {
            "layer" => blob(&path, b"a layer"),
            "image" => path.join("blobs/sha256").join(image.digest.to_hex()),
            link => path.join(link),
        };
        let elsewhere = directory.path().join("elsewhere");
        fs::rename(&place, &elsewhere).unwrap();
        symlink(&elsewhere, &place).unwrap();
        let error = read(&path).await.unwrap_err();
        assert!(error.contains("link"), "{link}: {error}");
    }
}

/// <https://github.com/advisories/GHSA-fxhp-mv3v-67qp>
#[tokio::test]
async fn nothing_is_written_through_a_link() {
    for link in ["blobs", "blobs/sha256"] {
        let (directory, path, _) = layout().await;
        let elsewhere = directory.path().join("elsewhere");
        fs::rename(path.join(link), &elsewhere).unwrap();
        symlink(&elsewhere, path.join(link)).unwrap();
        let store = Store::Layout(Layout::open(&path).unwrap());
        store.push_blob(Bytes::from_static(b"new")).await.unwrap_err();
        assert!(!elsewhere.join(Digest::of(b"new").to_hex()).exists());
    }
}

#[tokio::test]
async fn a_blob_that_is_no_file_is_refused() {
    let (_directory, path, _) = layout().await;
    fs::remove_file(blob(&path, b"a layer")).unwrap();
    fs::create_dir(blob(&path, b"a layer")).unwrap();
    assert!(read(&path).await.unwrap_err().contains("is no file"));
}

#[tokio::test]
async fn a_blob_that_was_changed_is_found_out() {
    for content in [b"a lawyer".as_slice(), b"a Layer", b"a lay"] {
        let (_directory, path, _) = layout().await;
        fs::write(blob(&path, b"a layer"), content).unwrap();
        read(&path).await.unwrap_err();
    }
}

#[tokio::test]
async fn two_entries_of_one_name_are_refused() {
    let (_directory, path, _) = layout().await;
    let text = fs::read_to_string(path.join("index.json")).unwrap();
    let entry = &text[text.find('[').unwrap() + 1..text.rfind(']').unwrap()];
    let other = entry
        .replace(&entry[entry.find("sha256:").unwrap()..][..71], &Digest::of(b"x").to_string());
    fs::write(path.join("index.json"), text.replace(entry, &format!("{entry},{other}"))).unwrap();
    let error = read(&path).await.unwrap_err();
    assert!(error.contains("two entries"), "{error}");
}

#[test]
fn what_is_no_layout_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    fs::write(path.join("index.json"), INDEX.2).unwrap();
    for (marker, why) in [
        (None, "no file oci-layout"),
        (Some(r#"{"imageLayoutVersion":"2.0.0"}"#), "is not 1"),
        (Some("{}"), "missing field"),
        (Some("x"), "expected value"),
    ] {
        if let Some(marker) = marker {
            fs::write(path.join("oci-layout"), marker).unwrap();
        }
        let error = Layout::open(path).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}

/// A tar archive of `entries`: name, kind, content.
fn archive(path: &Path, entries: &[(&str, tar::EntryType, &[u8])]) {
    let mut builder = tar::Builder::new(fs::File::create(path).unwrap());
    for (name, kind, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(content.len() as u64);
        if !kind.is_file() {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        builder.append(&header, *content).unwrap();
    }
    builder.finish().unwrap();
}

const MARKER: (&str, tar::EntryType, &[u8]) =
    ("oci-layout", tar::EntryType::Regular, br#"{"imageLayoutVersion":"1.0.0"}"#);
const INDEX: (&str, tar::EntryType, &[u8]) =
    ("./index.json", tar::EntryType::Regular, br#"{"schemaVersion":2,"manifests":[]}"#);

/// <https://github.com/advisories/GHSA-8xwf-rjm4-xvhv>
#[test]
fn links_in_an_archive_and_names_that_lead_out_of_it_are_refused() {
    use tar::EntryType;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("layout.tar");
    archive(&path, &[MARKER, INDEX]);
    Layout::open(&path).unwrap();
    for (name, kind) in [
        ("blobs/sha256/x", EntryType::Symlink),
        ("blobs/sha256/x", EntryType::Link),
        ("blobs/sha256/x", EntryType::Fifo),
        ("blobs/sha256/x", EntryType::Char),
        // A header that gives the next one a name of any length.
        ("././@LongLink", EntryType::GNULongName),
        ("././@LongLink", EntryType::GNULongLink),
        ("../x", EntryType::Regular),
        ("blobs/../../x", EntryType::Regular),
        ("/etc/passwd", EntryType::Regular),
        ("index.json", EntryType::Regular),
    ] {
        archive(&path, &[MARKER, INDEX, (name, kind, b"")]);
        let error = Layout::open(&path).unwrap_err();
        assert!(matches!(error, AccessError::Layout { .. }), "{name}: {error}");
    }
}

#[test]
fn an_archive_that_is_cut_off_or_is_none_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("layout.tar");
    archive(&path, &[MARKER, INDEX]);
    let whole = fs::read(&path).unwrap();
    for bytes in [&whole[..512], &whole[..600], b"", b"x", &[b'x'; 2048]] {
        fs::write(&path, bytes).unwrap();
        Layout::open(&path).unwrap_err();
    }
}
