"""Tiny encoders on disk."""

import pytest

from relcon.config.building import resolve
from relcon.testing import tiny_encoder_folder


@pytest.fixture(scope="session", params=["bert", "roberta"])
def kind(request):
    return request.param


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """Folder of a tiny encoder by kind."""
    return {kind: tiny_encoder_folder(tmp_path_factory.mktemp(kind), kind) for kind in ("bert", "roberta")}


@pytest.fixture(scope="session")
def folder(folders, kind):
    return folders[kind]


@pytest.fixture(scope="session")
def build():
    """`build(folder, max_length=16)`: the encoder as a config builds it."""
    return lambda folder, **arguments: resolve({"@encoders": "relcon.Transformer.v1", "path": str(folder), **arguments}, "encoder")
