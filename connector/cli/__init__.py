"""The command line: one file for each group of commands; each hands straight on to the room that does the work."""

import click

from connector import __version__
from connector.cli import (
    check,
    connect,
    db,
    demo,
    drill,
    forget,
    init,
    ledger,
    mapping,
    mapping_versions,
    people,
    purge,
    replay,
    run,
    send,
    status,
    targets,
)
from connector.cli.frame import Commands

__all__ = ["main"]


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="connector")
def main() -> None:
    """Put every new Flavours customer into your CRM or books: once, correct, and never lost.

    Start with `connector demo`, then `connector init`. Commands end with 0 (done), 1 (what was checked fails) or
    2 (wrong usage or configuration).
    """


_COMMANDS: tuple[click.Command, ...] = (
    *(init.init, demo.demo, drill.drill, check.check, run.serve, run.worker, send.send, status.status, mapping.mapping),
    *(
        ledger.events,
        ledger.deliveries,
        replay.replay,
        targets.targets,
        people.people,
        purge.purge,
        forget.forget,
        db.db,
        run.prepare_store,
        run.door,
    ),
)
for command in _COMMANDS:
    main.add_command(command)
targets.targets.add_command(connect.connect)
for command in (mapping_versions.publish, mapping_versions.history, mapping_versions.rollback):
    mapping.mapping.add_command(command)
