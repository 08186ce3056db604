"""Break one thing at a time in a rule of a mapping, so that a test can ask whether anybody notices."""

from dataclasses import replace

from connector.mapping.forms import Choice, Filled, First, Fixed, Join

# What a step is given instead of its own options.
OTHER = {"prefix": "1", "format": "%j", "timezone": "Pacific/Kiritimati", "country": "OM", "shape": "@"}


def takes(take):
    "Each way to break where a value comes from."
    if isinstance(take, First | Join) and len(take.sources) > 1:
        for gone in take.sources:
            yield f"without {gone.text}", replace(take, sources=tuple(s for s in take.sources if s is not gone))
        yield "turned round", replace(take, sources=take.sources[::-1])
    if isinstance(take, Join):
        yield "another text between", replace(take, between=f"{take.between}|")
    if isinstance(take, Fixed):
        yield "another value", Fixed(not take.value if isinstance(take.value, bool) else "other")
    if isinstance(take, Filled):
        yield "another text", Fixed("other")
    if isinstance(take, Choice):
        yield "then and else exchanged", replace(take, then=take.otherwise or "other", otherwise=take.then)
        yield "another then", replace(take, then="other")
        yield "another else", replace(take, otherwise="other")


def steps(rule):
    "Each way to break its `use`."
    for index, step in enumerate(rule.steps):
        before, after = rule.steps[:index], rule.steps[index + 1 :]
        yield f"without {step.name}", (*before, *after)
        for option in step.options:
            other = replace(step, options={**step.options, option: OTHER[option]})
            yield f"{step.name} with another {option}", (*before, other, *after)
        usual = {"on_invalid": step.transform.on_invalid, "on_junk": step.transform.on_junk}
        for word, default in usual.items():
            if default is not None and getattr(step, word) != default:
                yield f"{step.name} without its {word}", (*before, replace(step, **{word: default}), *after)


def broken(rule):
    "Each way to break a rule, by what was done to it."
    yield from ((what, replace(rule, take=take)) for what, take in takes(rule.take))
    yield from ((what, replace(rule, steps=left)) for what, left in steps(rule))
    if rule.default is not None:
        yield "without its default", replace(rule, default=None)
        yield from ((f"default: {what}", replace(rule, default=take)) for what, take in takes(rule.default))
    if rule.when is not None:
        yield "without its when", replace(rule, when=None)
    if rule.lookup is not None:
        yield "without its map", replace(rule, lookup=None)
        for key, text in rule.lookup.items():
            yield f"without {key} in its map", replace(rule, lookup={k: t for k, t in rule.lookup.items() if k != key})
            yield f"another text for {key} in its map", replace(rule, lookup={**rule.lookup, key: f"other {text}"})
