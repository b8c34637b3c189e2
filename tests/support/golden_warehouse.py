"""Warehouses of earlier releases (tests/golden/warehouses), unpacked where they were made."""

import contextlib
import fcntl
import pathlib
import shutil
import tarfile

from playhead_lake import BINARY, SOURCE, Lake

# Locations in a warehouse are absolute.
ROOT = pathlib.Path("/tmp/playhead-golden")


class GoldenLake(Lake):
    """The unpacked warehouse with the project of its own time."""

    def __init__(self, name):  # pylint: disable=super-init-not-called
        self.folder = ROOT / name
        self.warehouse = self.folder / "lake"
        self.landing = self.folder / "landing"
        self.project = self.folder / "project"
        self.todays_project = SOURCE / "projects" / name
        self.binary = BINARY
        self.server = None
        self.url = None


@contextlib.contextmanager
def golden_warehouse(name):
    """Holds the folder against other tests while the warehouse is in use."""
    with open(f"{ROOT}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        shutil.rmtree(ROOT, ignore_errors=True)
        with tarfile.open(SOURCE / "tests" / "golden" / "warehouses" / f"{name}.tar.gz") as tar:
            tar.extractall(ROOT)
        with GoldenLake(name) as lake:
            yield lake
