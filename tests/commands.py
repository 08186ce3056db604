"""The commands that a document names, and whether the command line knows them."""

import re
import shlex

import click

from connector.cli import main

_CODE = re.compile(r"^```(?:sh|ini)?\n(.*?)^```$|(?<!`)`([^`\n]+)`(?!`)", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"(?:^|[\s/=])connector ((?:[a-z-]).*)")


def named(text):
    "Return the words behind each `connector` in a Markdown text's code, each command once."
    found = {}
    for block, span in _CODE.findall(text):
        for line in (block or span).splitlines():
            for part in re.split(r"&&|\|\|?|;", line):
                match = _COMMAND.search(part)
                if match:
                    words = shlex.split(match[1], comments=True)
                    found[tuple(words)] = words
    return list(found.values())


def leaves(group=main, before=()):
    "Return the words of every command that `--help` shows."
    found = []
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found += leaves(command, (*before, name))
        elif not command.hidden:
            found.append([*before, name])
    return found


def refuses(words):
    "Return what the command line has against these words, or None; an argument may be left out, as prose does."
    command, words = main, list(words)
    while isinstance(command, click.Group):
        if not words:
            return None
        name = words.pop(0)
        if name.startswith("-"):
            return None if any(name in option.opts for option in command.params) else f"no option {name}"
        if name not in command.commands:
            return f"no command {name}"
        command = command.commands[name]
    try:
        command.make_context(command.name, words).close()
    except click.MissingParameter:
        return None
    except click.UsageError as wrong:
        return wrong.format_message()
    return None
