"""Rules of the house that a reviewer should not have to check."""

import ast
import functools
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = ("torch", "diffusers", "transformers", "kornia", "lpips", "torchvision", "cv2", "scipy")


# The rooms of realedit, low to high: a file imports from its own room and from those before it.
ORDER = (
    "images morphology geometry settings edits engines generations files sampling methods objects inpainting "
    "compositing evaluation appearance editing jobs batch page commands cli"
).split()
APART = {"objects", "inpainting"}  # neither knows the other
TORCH_FREE = (
    "settings edits engines generations geometry/transform geometry/camera geometry/region files/kinds "
    "files/recipe files/sidecar methods/notes inpainting/filler"
).split()


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@functools.cache
def imports(path: Path) -> set[str]:
    """Every module that a file imports, also lazily and for types alone; names of a package count as its modules."""
    found = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            found |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(ROOT / "realedit").parts[0].removesuffix(".py")


def test_imports_go_down():
    for path in files("realedit"):
        own = room_of(path)
        for name in imports(path):
            if own == "__init__" or not name.startswith("realedit."):
                continue
            room = name.split(".")[1]
            assert ORDER.index(room) <= ORDER.index(own), f"{path} imports {name}, which is built on it"
            assert {own, room} != APART, f"{path} imports {name}; the two know nothing of each other"


def test_inversion_never_imports_realedit():
    for path in files("inversion"):
        assert not any(name.split(".")[0] == "realedit" for name in imports(path)), path.name


def test_packages_say_what_they_are_for_and_import_nothing():
    for path in files("realedit"):
        if path.name == "__init__.py" and path.parent != ROOT / "realedit":
            tree = tree_of(path)
            assert ast.get_docstring(tree), path
            assert len(tree.body) == 1, path


def test_beside_the_rooms_lie_just_the_plain_modules():
    flat = {path.stem for path in (ROOT / "realedit").glob("*.py")} - {"__init__"}
    assert flat == {"images", "morphology", "settings", "edits", "engines", "generations", "cli"}


ADAPTERS = (
    "inversion/layouts inversion/libraries inversion/noise_levels inversion/unconditional inversion/vocabulary "
    "realedit/objects/sam realedit/inpainting/inpainting_checkpoint realedit/methods/controlnet "
    "realedit/methods/vision_transformer"
).split()


def test_only_the_adapters_know_diffusers_and_transformers():
    adapters = [ROOT / f"{name}.py" for name in ADAPTERS]
    for path in files("inversion") + files("realedit"):
        if path not in adapters:
            assert not any(name.split(".")[0] in ("diffusers", "transformers") for name in imports(path)), path.name


def test_the_judge_does_not_know_the_accused():
    known = imports(ROOT / "realedit" / "evaluation" / "metrics.py")
    assert not any(name.startswith(("inversion", "realedit")) for name in known)
    for path in files("realedit/evaluation"):
        assert not any(name.startswith("realedit.sampling") for name in imports(path)), path


@pytest.mark.parametrize("name", TORCH_FREE)
def test_values_need_no_torch(name):
    path = ROOT / "realedit" / f"{name}.py"
    known = {node.module for node in tree_of(path).body if isinstance(node, ast.ImportFrom)}
    assert not any((module or "").split(".")[0] in HEAVY for module in known)


def test_help_and_package_import_load_nothing_heavy():
    code = (
        "import sys, inversion, realedit\n"
        "from click.testing import CliRunner\n"
        "from realedit.cli import main\n"
        "for args in (['--help'], ['move', '--help'], ['--version']):\n"
        "    assert CliRunner().invoke(main, args).exit_code == 0, args\n"
        f"loaded = [m for m in {HEAVY!r} if m in sys.modules]\n"
        "assert not loaded, loaded\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def click_command(node: ast.FunctionDef) -> bool:
    return any("click." in ast.unparse(decorator) for decorator in node.decorator_list)


# Whose parameters are the whole of what it is for: the sampler's loop, and the front door, all but keywords.
MANY_PARAMETERS = {"sample", "edit"}


def test_no_function_has_more_than_six_parameters():
    for path in files("realedit"):
        for node in ast.walk(tree_of(path)):
            if not isinstance(node, ast.FunctionDef) or node.name in MANY_PARAMETERS or click_command(node):
                continue
            own = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
            own = [name for name in own if name not in ("self", "cls")]
            assert len(own) <= 6, f"{path}: {node.name} has {len(own)} parameters"


@functools.cache
def numbers_of(path: Path) -> set[str]:
    """The names of a module's numeric constants."""
    found = set()
    for node in tree_of(path).body:
        if isinstance(node, ast.Assign) and all(is_number(n) for n in ast.walk(node.value)):
            found |= {n.id for target in node.targets for n in ast.walk(target) if isinstance(n, ast.Name)}
    return found


def is_number(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int | float)
    return isinstance(node, ast.Tuple | ast.BinOp | ast.UnaryOp | ast.operator | ast.unaryop | ast.Load)


def test_no_room_imports_anothers_thresholds():
    """Numbers that several rooms use are those of `settings`; else a function of their own room answers."""
    numbers = {
        f"{'.'.join(path.relative_to(ROOT).with_suffix('').parts)}.{name}"
        for path in files("realedit")
        for name in numbers_of(path)
    }
    assert "realedit.compositing.shadows.SHADOW_TINT" in numbers
    for path in files("realedit"):
        for name in imports(path) & numbers:
            room = name.split(".")[1]
            assert room in ("settings", room_of(path)), f"{path} imports {name}"


def test_constants_have_one_meaning():
    """A name that stands for different numbers in different modules says too little."""
    homes: dict[str, Path] = {}
    for path in [*files("realedit"), *files("inversion")]:
        for name in numbers_of(path):
            assert homes.setdefault(name, path) == path, f"{name} is a number in {homes[name]} and in {path}"


def test_readme_is_one_short_page():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_public_names_exist():
    import inversion
    import realedit

    for package in (inversion, realedit):
        assert sorted(package.__all__) == list(package.__all__)
        for name in package.__all__:
            assert getattr(package, name) is not None
        with pytest.raises(AttributeError, match="no attribute 'nothing'"):
            _ = package.nothing


def test_top_level_holds_the_plan_and_nothing_else():
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT)
    if listed.returncode:
        pytest.skip("not a git checkout")
    top = {name.split("/")[0] for name in listed.stdout.splitlines()}
    allowed = {"pyproject.toml", "realedit", "inversion", "tests", "samples", "README.md", "LICENSE"}
    assert {name for name in top if not name.startswith(".")} <= allowed


def test_no_private_traces_in_tracked_files():
    """No absolute machine paths: the project speaks of itself alone."""
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT)
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.suffix in (".py", ".md", ".toml", ".json") and path.is_file() and path.name != "test_architecture.py":
            assert not re.search(r"(?<![\w.~])/(root|work|home|tmp)/", path.read_text()), name
