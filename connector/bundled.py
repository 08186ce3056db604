"""Find the files that ship beside the code: the mappings, the example configuration, webhooks to try with."""

from pathlib import Path


def bundled(name: str) -> Path:
    """Return the path of a shipped file or folder (`mappings`, `config.example.yaml`).

    A wheel carries them in `connector/_data`; an editable install and a checkout have them at the top level.
    """
    here = Path(__file__).resolve().parent
    packaged = here / "_data" / name
    return packaged if packaged.exists() else here.parent / name


def payload(name: str) -> bytes:
    """Return an embedded webhook: `documented` (as Flavours publishes it) or `company`."""
    return (Path(__file__).with_name("payloads") / f"{name}.json").read_bytes()
