"""python-tuf as a client of ours: over HTTP, or on a directory at a time of our choosing."""

import datetime
import pathlib
import unittest.mock

from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface, Updater
from tuf.ngclient._internal import trusted_metadata_set

TARGETS = ["trusted_root.json", "signing_config.v0.2.json", "signing_config_rekor_v1.v0.2.json", "rekor.pub", "ctfe.pub"]


class Directory(FetcherInterface):
    """Fetches from a directory; what is not there is a 404."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)

    def _fetch(self, url):
        path = self.directory / url.removeprefix("dir://")
        if not path.is_file():
            raise DownloadHTTPError("not found", 404)
        yield path.read_bytes()


class At:
    """Lets python-tuf believe that it is `now`, in seconds."""

    def __init__(self, now):
        self.now = datetime.datetime.fromtimestamp(now, datetime.timezone.utc)

    def __enter__(self):
        clock = unittest.mock.MagicMock(wraps=datetime)
        clock.datetime.now = lambda _zone: self.now
        self.patch = unittest.mock.patch.object(trusted_metadata_set, "datetime", clock)
        self.patch.__enter__()

    def __exit__(self, *why):
        self.patch.__exit__(*why)


def read(base, root, metadata, fetcher=None, targets=TARGETS):
    """Updates the metadata in `metadata` from the repository at `base`, downloads the targets, and tells the versions."""
    metadata = pathlib.Path(metadata)
    downloads = metadata / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    updater = Updater(
        str(metadata), base, str(downloads), base + "targets/", fetcher=fetcher, bootstrap=pathlib.Path(root).read_bytes()
    )
    updater.refresh()
    for name in targets:
        target = updater.get_targetinfo(name)
        assert target is not None, f"there is no target {name}"
        updater.download_target(target)
    trusted = updater._trusted_set
    return {role: getattr(trusted, role).version for role in ("root", "targets", "snapshot", "timestamp")}
