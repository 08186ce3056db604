"""Tell whether what the core says in English is said in Arabic."""

import re

from connector.web.admin import core, language


def translated(text):
    "Tell whether the core's sentence is known in Arabic, and nothing of it is left in English but what is a name."
    words = core.said("ar", text).partition(' <small class="core"')[0]
    left = re.search(r"[a-z]{2,}( [a-z]{2,}){4}", words.replace('bdi dir="ltr"', ""))
    return language.said("ar", "own_words") not in words and not left
