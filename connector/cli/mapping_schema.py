"""The command that prints the schema by which an editor helps to write a mapping."""

import json
from pathlib import Path

import click

from connector.cli import mapping_files
from connector.cli.frame import config_option, json_option, show_json

FILE = "mapping.schema.json"


@click.command()
@click.option("--write", is_flag=True, help=f"Write it into the mappings folder, as {FILE}.")
@config_option
@json_option
def schema(write: bool, path: Path, as_json: bool) -> None:
    """Print the JSON Schema (draft-07) of mappings, for editors.

    An editor that knows it completes words and marks mistakes: VS Code with the YAML extension finds it by the line
    `# yaml-language-server: $schema=mapping.schema.json` at the top of a mapping.
    """
    if not write:
        click.echo(text(), nl=False)
        return
    file = mapping_files.folder_of(path) / FILE
    file.write_text(text(), encoding="utf-8")
    show_json({"file": str(file)}) if as_json else click.echo(f"wrote {file}")


def text() -> str:
    """Return the schema as it is shipped."""
    from connector.mapping.jsonschema import schema as made

    return json.dumps(made(), ensure_ascii=False, indent=2) + "\n"
