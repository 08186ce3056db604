"""The commands about mappings: see what becomes of a customer, and of all of them, before a change goes live."""

import click

from connector.cli.mapping_coverage import coverage
from connector.cli.mapping_diff import diff
from connector.cli.mapping_preview import preview
from connector.cli.mapping_samples import test
from connector.cli.mapping_schema import schema


@click.group()
def mapping() -> None:
    """See what a mapping makes of customers, try it, compare it, find what it loses."""


for command in (preview, test, diff, coverage, schema):
    mapping.add_command(command)
