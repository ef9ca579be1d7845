"""What the page is made of fits together: modules and words."""

import re
from pathlib import Path

from realedit.page import app

STATIC = Path(app.__file__).parent / "static"
MODULES = {path.name: path.read_text() for path in STATIC.glob("*.js")}
LONGEST = 200  # lines


def exported(text: str) -> set[str]:
    names = set(re.findall(r"export (?:async )?(?:class|function|const) (\w+)", text))
    for line in re.findall(r"export const (.+);", text):
        names |= set(re.findall(r"(?:^|, )(\w+) = ", line))
    return names


def test_modules_import_what_there_is_and_are_short():
    for name, text in MODULES.items():
        assert len(text.splitlines()) <= LONGEST, name
        for names, source in re.findall(r'import \{ ([^}]+) \} from "\./([\w.]+)"', text):
            for each in names.split(", "):
                assert each in exported(MODULES[source]), f"{name} imports {each} from {source}"
                assert len(re.findall(rf"(?<![\w$]){re.escape(each)}(?![\w$])", text)) > 1, f"{name}: {each} is unused"


def test_every_word_has_a_text():
    known = set(re.findall(r'^  "?([\w -]+?)"?:', MODULES["strings.js"], re.MULTILINE))
    markup = (STATIC / "index.html").read_text()
    used = set(re.findall(r'data-t(?:-label|-example)?="(\w+)"', markup))
    for text in MODULES.values():
        used |= set(re.findall(r'\bt\("([^"]+)"', text))
    assert used
    assert used <= known, used - known
