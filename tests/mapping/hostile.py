"""Documents that are out to hurt, read in a process of its own that tells what each cost.

python -m tests.mapping.hostile [NAME]
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from connector import folder
from connector.bundled import bundled
from connector.errors import MappingError
from connector.mapping.document import read

HEAD = "version: 1\nkind: rest\nfields:\n"
ROOM = 256 * 1024 - 200


def many(line, head=HEAD, room=ROOM):
    """Repeat a line, numbered, until there is no more room."""
    count = room // len(line.format(n=10_000).encode())
    return head + "".join(line.format(n=n) for n in range(count))


def laughs():
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    return "\n".join(lines)


def rule(text):
    return f"{HEAD}  f: {text}\n"


DOCUMENTS = {
    "aliases": laughs,
    "merge_keys": lambda: "base: &b {a: city}\nversion: 1\nfields:\n" + "  <<: *b\n" * 10_000,
    "python_tag": lambda: rule('!!python/object/apply:os.system ["touch hostile-was-here"]'),
    "python_tags": lambda: many("  f{n}: !!python/name:os.system\n"),
    "deep_lists": lambda: "[" * ROOM,
    "deep_groups": lambda: "a: " + "{b: " * (ROOM // 4),
    "deep_dashes": lambda: "- " * (ROOM // 2),
    "deep_indentation": lambda: "\n".join(f"{' ' * n}a:" for n in range(700)),
    "deep_in_a_sample": lambda: HEAD + "  f: city\nsamples: [{given: " + "{a: " * 60_000,
    "long_list": lambda: "[" + "a," * (ROOM // 2) + "]",
    "long_list_of_lines": lambda: "- a\n" * (ROOM // 4),
    "long_group": lambda: many("  f{n}: city\n"),
    "empty_lists": lambda: "[" + "[]," * (ROOM // 3) + "]",
    "long_key": lambda: HEAD + "  " + "k" * ROOM + ": city\n",
    "long_keys": lambda: many("  " + "k" * 900 + "{n}: city\n"),
    "long_question_key": lambda: HEAD + '  ? "' + "k" * ROOM + '"\n  : city\n',
    "long_path": lambda: rule("data." + "a." * (ROOM // 2) + "b"),
    "long_text": lambda: rule('{value: "' + "x" * ROOM + '"}'),
    "long_escapes": lambda: rule('{template: "' + "\\u0041" * (ROOM // 6) + '"}'),
    "long_lines": lambda: rule("x\n" + "   y\n" * (ROOM // 5)),
    "long_block": lambda: rule("|\n" + "    y\n" * (ROOM // 6)),
    "open_quote": lambda: rule('"' + "a: b\n" * (ROOM // 5)),
    "remarks": lambda: "# x\n" * (ROOM // 4),
    "empty_lines": lambda: "\n" * ROOM,
    "spaces": lambda: rule(" " * ROOM),
    "documents": lambda: "---\n" * (ROOM // 4),
    "directives": lambda: "%FOO bar\n" * (ROOM // 9),
    "anchors": lambda: many("  f{n}: &a{n} city\n"),
    "question_marks": lambda: "? " * (ROOM // 2),
    "colons": lambda: ": " * (ROOM // 2),
    "quotes": lambda: "'" * ROOM,
    "digits": lambda: rule("{value: " + "9" * ROOM + "}"),
    "float": lambda: rule("{value: 1" + "0" * 5_000 + ".0e+99999}"),
    "sexagesimal": lambda: rule("{value: " + "1:" * 4_000 + "1}"),
    "wrong_paths": lambda: many("  f{n}: user.fone{n}\n", room=9_000),
    "wrong_paths_and_more": lambda: many("  f{n}: user.fone{n}\n"),
    "wrong_long_paths": lambda: many("  f{n}: user." + "fone" * 48 + "{n}\n", room=90_000),
    "wrong_transforms": lambda: many("  f{n}: {{from: city, use: [fone, emial, vta, dat]}}\n", room=25_000),
    "wrong_names": lambda: many("  f{n}: city\n", room=6_000) + "match: [" + "f_,fo,of," * 2_900 + "]\n",
    "wrong_options": lambda: many("  f{n}: {{from: city, use: {{phone: {{prefx: x, on_invald: y}}}}}}\n", room=30_000),
    "wrong_keys": lambda: many("verson{n}: 1\n", head="", room=90_000),
    "wrong_templates": lambda: many("  f{n}: {{template: '{{{{ user.fone }}}}'}}\n", room=20_000),
    "many_templates": lambda: many("  f{n}: {{template: '" + "{{{{ city }}}} " * 50 + "'}}\n"),
    "clashing_fields": lambda: many("  a.b.c.d.e.f.g.h.i.j{n}.k: city\n  a.b.c.d.e.f.g.h.i.j{n}: city\n", room=10_000),
    "template_of_brackets": lambda: rule("{template: '{{ " + "(" * 900 + "id" + ")" * 900 + " }}'}"),
    "template_of_nots": lambda: rule("{template: '{{ " + "not " * 480 + "id }}'}"),
    "template_of_tildes": lambda: rule("{template: '{{ " + " ~ ".join(["type"] * 280) + " ** }}'}"),
    "template_of_dots": lambda: rule("{template: '{{ a" + ".a" * 980 + " }}'}"),
    "template_of_choices": lambda: rule("{template: '{{ " + "id if id else " * 140 + "id }}'}"),
    "template_of_braces": lambda: rule("{template: '" + "{{" * 990 + "'}"),
    "template_of_powers": lambda: rule("{template: '{{ 9**9**9**9 }}'}"),
    "template_of_a_loop": lambda: rule("{template: '{% for a in range(9999999) %}x{% endfor %}'}"),
    "template_of_a_width": lambda: rule("{template: \"{{ '%999999999d' % 1 }}\"}"),
    "template_of_a_class": lambda: rule("{template: \"{{ ''.__class__.__mro__ }}\"}"),
    "templates_at_the_limit": lambda: many("  f{n}: {{template: '" + "{{{{(" * 400 + "'}}\n"),
    "conditions_at_the_limit": lambda: many("  f{n}: {{from: city, when: '" + "crn or " * 280 + "(('}}\n"),
    "shape_of_stars": lambda: rule('{from: city, use: {only_if: "' + "*" * ROOM + '"}}'),
    "shapes_at_the_limit": lambda: many('  f{n}: {{from: city, use: {{only_if: "' + "*#" * 100 + '"}}}}\n'),
    "wide_date": lambda: rule('{from: city, use: {date: "%999999999d"}}'),
    "zone_of_dots": lambda: rule('{from: city, use: {date: {timezone: "' + "../" * 1_000 + 'etc/passwd"}}}'),
    "map_of_many": lambda: rule("{from: city, map: {" + ", ".join(f"k{n}: v{n}" for n in range(6_000)) + "}}"),
    "control_characters": lambda: rule("\x01" * ROOM),
    "ten_megabytes": lambda: "x" * 10_000_000,
    "ten_megabytes_of_arabic": lambda: "ش" * 5_000_000,
}


def film():
    with tempfile.TemporaryDirectory() as there:
        file = Path(there) / "film.yaml"
        file.write_bytes(b"x: y\n" * 2_000_000)
        read(folder.text(file), file.name)


def memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def cost(name):
    """Return what a refusal came to: the problems, processor time in seconds, and memory in MB above that of a good one."""
    text = DOCUMENTS[name]() if name in DOCUMENTS else ""
    had, before, problems = memory(), time.process_time(), []
    try:
        read(text, "hostile.yaml") if name in DOCUMENTS else film()
    except MappingError as error:
        problems = [str(problem) for problem in error.problems]
    return {"problems": problems, "seconds": time.process_time() - before, "megabytes": memory() - had}


if __name__ == "__main__":
    read((bundled("mappings") / "csv.yaml").read_text(encoding="utf-8"), "csv.yaml")
    print(json.dumps({name: cost(name) for name in sys.argv[1:] or [*DOCUMENTS, "film"]}))
