"""The documents are executed: their Python, the names and options of their commands, the two main commands, links."""

import importlib
import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from torchvision.transforms.functional import to_tensor

import realedit
from inversion.taps import Tape
from realedit.cli import main
from realedit.files.recipe import Recipe
from realedit.sampling.sampler import sample
from realedit.settings import Settings
from tests.colours import BLUE, RED, colour_centre
from tests.test_architecture import ORDER

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text()
SAMPLING = "realedit/sampling/README.md"
METHODS = "realedit/methods/README.md"
NAMES = (
    "README.md",
    "inversion/README.md",
    "realedit/README.md",
    SAMPLING,
    METHODS,
    "realedit/batch/README.md",
    "tests/benchmarks/README.md",
)
DOCUMENTS = {name: (ROOT / name).read_text() for name in NAMES}
MOST_LINES = 150

COMMAND = re.compile(r"^    (?:cat .*\| )?(realedit [^#\n]+)", re.MULTILINE)
MODULE = re.compile(r"python -m ((?:tests\.benchmarks|samples)\.\w+[^`#\n]*)")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FILE = re.compile(r"`([\w./]+\.py)`")


def found(pattern: re.Pattern[str]) -> list[str]:
    """What a pattern captures in all documents, each once."""
    return sorted({match.strip() for text in DOCUMENTS.values() for match in pattern.findall(text)})


def command_after(name: str) -> str:
    """The command line under a `<!-- command: name -->` mark, as the check script reads it."""
    match = re.search(rf"<!-- command: {name} -->\n```\n(.*?)\n```", TEXT, re.DOTALL)
    assert match is not None, name
    return match[1]


def python_examples(name: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", DOCUMENTS[name], re.DOTALL)


def run_example(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, k: int = 0, instead: tuple[str, str] = ("", "")
) -> dict:
    """The names that the `k`-th example of a document defines when it is run beside the samples, with something else
    `instead` of what it says."""
    (folder / "samples").symlink_to(ROOT / "samples", target_is_directory=True)
    monkeypatch.chdir(folder)
    names: dict = {"__name__": "__main__"}
    code = python_examples(name)[k]
    assert instead[0] in code
    exec(compile(code.replace(*instead) if instead[0] else code, name, "exec"), names)
    return names


def check_options(command: click.Command, words: list[str]) -> None:
    """Raises for an option that the command does not have or whose value is missing, and for arguments too many or
    none; what the values say is not looked at."""
    parsed, too_many, _ = command.make_parser(click.Context(command)).parse_args(words)
    assert not too_many, too_many
    for parameter in command.params:
        if isinstance(parameter, click.Argument) and parameter.required:
            assert parsed.get(parameter.name), parameter.name


def command_and_words(line: str) -> tuple[list[str], click.Command, list[str]]:
    """The names of a command, the command, and what is typed after it (without where the shell sends its output)."""
    words = shlex.split(line.split(" > ")[0])[1:]
    names: list[str] = []
    command: click.Command = main
    while isinstance(command, click.Group):
        default = getattr(command, "default", None)
        names.append(default if default and words[0] not in command.commands else words.pop(0))
        assert names[-1] in command.commands, line
        command = command.commands[names[-1]]
    return names, command, words


def test_python_example_runs_as_written(tmp_path, monkeypatch, capsys):
    """In fewer steps than it would take by default."""
    monkeypatch.setitem(realedit.edit.__kwdefaults__, "settings", Settings(steps=4, method="ddim"))
    run_example("README.md", tmp_path, monkeypatch)
    assert (tmp_path / "moved.png").stat().st_size > 5_000
    assert "identical pixels" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "most"), [("README.md", [10]), (SAMPLING, [20, 20])])
def test_python_examples_are_short(name, most):
    for code, limit in zip(python_examples(name), most, strict=True):
        assert len([line for line in code.splitlines() if line and not line.startswith(("from", "import"))]) <= limit
        assert max(map(len, code.splitlines())) <= 120


def test_inversion_example_gives_the_photo_back(tmp_path, monkeypatch):
    fewer = "model.schedule(25)", "model.schedule(8)"
    names = run_example("inversion/README.md", tmp_path, monkeypatch, instead=fewer)
    photo = (names["photo"][0].permute(1, 2, 0) * 255).round().numpy()
    error = ((photo - names["image"]) / 255) ** 2
    assert error.mean() < 1e-3  # 30 dB


def test_words_are_weighed_by_a_function_of_ones_own(tmp_path, monkeypatch, tabletop):
    model = run_example("inversion/README.md", tmp_path, monkeypatch, 1)["model"]
    prompt = "a photo of a red ball and a blue can"
    heavier, plain = model.embed(prompt).tokens, tabletop.embed(prompt).tokens
    at = list(model.positions(prompt, "red ball"))
    assert torch.equal(heavier[:, at], 1.5 * plain[:, at])
    assert torch.equal(model.embed("a blue can").tokens, tabletop.embed("a blue can").tokens)


def test_a_term_of_ones_own_sets_the_distance_of_two_objects(tmp_path, monkeypatch):
    names = run_example(SAMPLING, tmp_path, monkeypatch)
    spots = torch.zeros(1, 3, 10, 10)
    spots[0, 1, 1, 1] = spots[0, 2, 5, 4] = 1  # at (0.15, 0.15) and (0.45, 0.55): 3, 4 and 5 tenths
    apart = names["distance"]({"layer": spots}, ((1,), (2,)))
    assert apart.tolist() == pytest.approx([0.5])
    kept, asked = (names["DistanceEnergy"](((1,), (2,)), each) for each in (apart, torch.tensor([0.2])))
    assert kept(Tape({"layer": spots}), 0).item() == 0
    assert asked(Tape({"layer": spots}), 0).item() == pytest.approx(0.3)
    model, noise, steps = names["model"], names["noise"], names["steps"]
    free = model.decode(sample(model, noise, model.schedule(steps), names["rows"]))
    far, near = (
        (colour_centre(picture, RED) - colour_centre(picture, BLUE)).norm().item()
        for picture in (free, to_tensor(Image.open("near.png"))[None])
    )
    assert far > 0.4
    assert near == pytest.approx(0.25, abs=0.05)


def test_a_term_moves_the_object_of_a_plain_pipeline(tmp_path, monkeypatch):
    """From 0.45, where `test_step_callback.py` finds it without guidance."""
    names = run_example(SAMPLING, tmp_path, monkeypatch, 1)
    assert colour_centre(to_tensor(names["image"])[None], RED)[0].item() == pytest.approx(0.3, abs=0.05)


@pytest.mark.parametrize("line", found(COMMAND))
def test_listed_commands_and_options_exist(line):
    names, command, words = command_and_words(line)
    help_text = CliRunner().invoke(main, [*names, "--help"])
    assert help_text.exit_code == 0
    listed = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", help_text.stdout))
    assert {word for word in words if re.fullmatch(r"--?[a-z][a-z-]*", word)} <= listed
    check_options(command, words)


@pytest.mark.parametrize("line", found(MODULE))
def test_listed_modules_and_options_exist(line):
    module, *words = shlex.split(line)
    check_options(importlib.import_module(module).main, words)


def test_every_command_has_an_example():
    shown = {command_and_words(line)[0][0] for line in COMMAND.findall(TEXT)}
    assert set(main.commands) - shown == {"demo"}  # which is the first of the two main commands


def test_main_commands_do_all_their_set_up():
    for name in ("demo", "tests"):
        assert command_after(name).startswith("python3 -m venv .venv && .venv/bin/pip install")
    assert "realedit demo" in command_after("demo")
    assert "pytest" in command_after("tests")


def test_recipe_is_one():
    (text,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    assert len(Recipe.model_validate(tomllib.loads(text)).edits) == 2


def test_readme_is_short():
    assert len(TEXT.splitlines()) <= MOST_LINES


def without_code(text: str) -> str:
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


def slugs(text: str) -> set[str]:
    """The anchors of a document's headings."""
    headings = re.findall(r"^#+ (.+)$", without_code(text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", NAMES)
def test_pictures_and_links_lead_somewhere(name):
    for link in LINK.findall(without_code(DOCUMENTS[name])):
        path, _, anchor = link.partition("#")
        if path.startswith("https://"):
            continue
        target = (ROOT / name).parent / path if path else ROOT / name
        assert target.is_file(), link
        assert not anchor or anchor in slugs(target.read_text()), link


@pytest.mark.parametrize("name", NAMES)
def test_named_files_are_there(name):
    for path in FILE.findall(DOCUMENTS[name]):
        assert (ROOT / path).is_file() or ((ROOT / name).parent / path).is_file(), path


def test_the_tree_names_every_room():
    text = DOCUMENTS["realedit/README.md"]
    rooms = re.findall(r"^  (\w+)(?:\.py|/) ", text, re.MULTILINE)
    assert rooms == ORDER
