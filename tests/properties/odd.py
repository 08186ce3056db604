"""Things that nobody expects, to put into what a sender or a vendor sends."""

ODD = [
    None, True, -1, 0, 10**30, 1e308, -0.0, "", "\0", "\ud800", "\U0001f600", "ا" * 50, "x" * 5000, [], {}, [[]], {"": None},
    2**63, "customers.CREATE", "customers.", "\u202e", "1" * 400, [None] * 200,
]  # fmt: skip
PIECES = [b"\0", b"\xff", b"\xed\xa0\x80", b"{", b"}", b"[" * 200, b"]", b'"', b"\\u0000", b"\\ud800", b"1e999", b"NaN",
          b"9" * 5000, b"\xef\xbb\xbf", b",", b":", b"\r\n", b"-", b"null", b'{"a":' * 120]  # fmt: skip


def changed(document, dice, odd=ODD):
    "A JSON document with a few odd things in it."
    places = []

    def look(value):
        for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
            places.append((value, key))
            look(value[key])

    look(document)
    for _ in range(dice.randint(1, 3) if places else 0):
        holder, key = dice.choice(places)
        if isinstance(holder, dict) and dice.random() < 0.2:
            holder.pop(key, None)
        elif isinstance(holder, dict) and dice.random() < 0.1:
            holder[str(dice.choice(odd))] = dice.choice(odd)
        else:
            holder[key] = dice.choice(odd)
    return document if places else dice.choice(odd)


def spoiled(made, dice, pieces=PIECES):
    "Bytes with a few odd ones in between, perhaps cut short."
    made = bytearray(made)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(made) + 1)
        made[at : at + dice.choice([0, 1, 10])] = dice.choice(pieces)
    return bytes(made[: dice.choice([len(made), dice.randrange(len(made) + 1)])])
