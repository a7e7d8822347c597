"""Registries: packages by entry points, files by decorators; one broken package hides nobody, one name has one owner."""

import sys
from pathlib import Path
from typing import Any

import pytest

from relcon.components import arguments, component_of, docstring_block, docstring_text
from relcon.config.code import load_code
from relcon.errors import RelconError
from relcon.interfaces import Augmenter, ContrastiveObjective, DatasetReader
from relcon.registry import interface_of, registry_of

GOOD = """
from relcon.interfaces import DatasetReader

class Lines(DatasetReader):
    def read(self, path):
        yield

VALUE = 3
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`package("name", code, "entry = module:thing")`: a package that is installed as far as Python can tell."""

    def install(name: str, code: str, *entries: str, group: str = "relcon_readers") -> str:
        folder = tmp_path / name
        info = folder / f"{name}-1.2.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text("\n".join([f"[{group}]", *entries]) + "\n")
        (folder / f"{name}_code.py").write_text(code)
        monkeypatch.syspath_prepend(str(folder))
        return name

    yield install
    for module in [module for module in sys.modules if module.endswith("_code") and not module.startswith("relcon")]:
        del sys.modules[module]


def test_a_package_is_found_by_its_entry_point(package):
    package("good", GOOD, "good.Lines.v1 = good_code:Lines")
    (offer,) = [offer for offer in DatasetReader.registry.offers() if offer.name == "good.Lines.v1"]
    assert (offer.package, offer.version, offer.target) == ("good", "1.2", "good_code:Lines")
    assert "good_code" not in sys.modules, "listing names must import nothing"
    assert issubclass(DatasetReader.registry.get("good.Lines.v1"), DatasetReader)


def test_a_broken_package_is_named_and_hides_nobody(package):
    package("broken", "import there_is_no_such_module\n", "broken.Lines.v1 = broken_code:Lines")
    package("good", GOOD, "good.Lines.v1 = good_code:Lines")
    assert {"broken.Lines.v1", "good.Lines.v1"} <= set(DatasetReader.registry.names())
    assert DatasetReader.registry.get("good.Lines.v1").__name__ == "Lines"
    with pytest.raises(RelconError) as raised:
        DatasetReader.registry.get("broken.Lines.v1")
    assert "could not be loaded from package broken (broken_code:Lines): ModuleNotFoundError" in str(raised.value)
    with pytest.raises(RelconError, match=r"is not registered in '@readers'. Did you mean 'good.Lines.v1'\?"):
        DatasetReader.registry.get("good.Linez.v1")


def test_a_package_that_is_not_there_is_named(package):
    package("good", GOOD, "good.Lines.v1 = good_code:Lines")
    absent = " No installed package offers names that begin with 'absent.': install relcon-absent, or give its file with --code."
    with pytest.raises(RelconError) as raised:
        DatasetReader.registry.get("absent.Lines.v1")
    assert str(raised.value).endswith(absent)
    with pytest.raises(RelconError) as raised:
        DatasetReader.registry.get("good.Absent.v1")
    assert "No installed package" not in str(raised.value)


def test_two_packages_with_one_name_are_refused(package):
    package("one", GOOD, "same.Lines.v1 = one_code:Lines")
    package("two", GOOD, "same.Lines.v1 = two_code:Lines")
    with pytest.raises(RelconError) as raised:
        DatasetReader.registry.get("same.Lines.v1")
    assert (
        str(raised.value)
        == "'same.Lines.v1' in '@readers' is offered by one (one_code:Lines) and two (two_code:Lines). Uninstall one of them."
    )


@pytest.mark.parametrize(
    "target, reason", [("odd_code", "it names a module"), ("odd_code:VALUE", "it names a int"), ("odd_code:Gone", "AttributeError")]
)
def test_entry_points_that_name_no_component(package, target, reason):
    package("odd", GOOD, f"odd.Lines.v1 = {target}")
    with pytest.raises(RelconError, match=reason):
        DatasetReader.registry.get("odd.Lines.v1")


def test_a_package_that_ends_the_process_hides_nobody(package):
    package("ends", "import sys\nsys.exit('bye')\n", "ends.Lines.v1 = ends_code:Lines")
    with pytest.raises(RelconError, match=r"'ends.Lines.v1' in '@readers' could not be loaded from package ends .*: SystemExit: bye"):
        DatasetReader.registry.get("ends.Lines.v1")


def test_a_component_that_lacks_a_method(package):
    code = "from relcon.interfaces import DatasetReader\nclass Lines(DatasetReader): pass\n"
    package("lacking", code, "lacking.Lines.v1 = lacking_code:Lines")
    with pytest.raises(RelconError, match=r"'lacking.Lines.v1' in '@readers' lacks methods of DatasetReader: read"):
        component_of("readers", "lacking.Lines.v1")


def test_a_function_whose_result_cannot_be_told(package):
    package("untold", "def made() -> 'Liines': ...\n", "untold.Lines.v1 = untold_code:made")
    with pytest.raises(RelconError, match="the types of untold_code:made cannot be read: name 'Liines' is not defined"):
        component_of("readers", "untold.Lines.v1")


def test_a_component_of_the_wrong_interface(package):
    package("odd", GOOD, "odd.Lines.v1 = odd_code:Lines", group="relcon_augmenters")
    with pytest.raises(RelconError, match=r"'odd.Lines.v1' in '@augmenters' is no Augmenter"):
        component_of("augmenters", "odd.Lines.v1")


def test_a_file_cannot_take_a_name_that_is_taken(package):
    package("good", GOOD, "good.Lines.v1 = good_code:Lines")
    with pytest.raises(RelconError, match=r"'good.Lines.v1' is already registered in '@readers'"):
        DatasetReader.register("good.Lines.v1")(DatasetReader)


def test_no_such_registry():
    with pytest.raises(RelconError, match=r"there is no registry '@augmenter'. Did you mean 'augmenters'\?"):
        registry_of("augmenter")


def test_interfaces_of_annotations(toy_code):
    load_code(toy_code)
    assert interface_of(Augmenter) == ("augmenters", Augmenter)
    assert interface_of(ContrastiveObjective) == ("objectives", ContrastiveObjective)
    assert interface_of(component_of("augmenters", "toy.Drop.v1")) == ("augmenters", Augmenter)
    assert interface_of(int) is None and interface_of("Augmenter") is None


# ---- --code ----


def test_a_file_registers_components_once(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from relcon.interfaces import Augmenter\n"
        "@Augmenter.register('mine.Shuffle.v1')\n"
        "class Shuffle(Augmenter):\n"
        "    '''Shuffles.\n\n    Config::\n\n        [augmenter]\n        @augmenters = \"mine.Shuffle.v1\"\n    '''\n"
        "    def __init__(self, rate: 'float', inner: 'Augmenter' = None): ...\n"
        "    def __call__(self, document, pairs, generator): return document\n"
    )
    load_code(file)
    load_code(file)
    shuffle = component_of("augmenters", "mine.Shuffle.v1")
    assert arguments(shuffle)["rate"].annotation is float, "annotations that are texts must be resolved"
    assert docstring_block(shuffle) == '[augmenter]\n@augmenters = "mine.Shuffle.v1"\n'
    assert docstring_text(shuffle) == "Shuffles."
    (offer,) = [offer for offer in Augmenter.registry.offers() if offer.name == "mine.Shuffle.v1"]
    assert offer.package == "--code"


@pytest.mark.parametrize(
    "code, message",
    [
        ("x = 1\n\nraise RuntimeError('no')\n", r"bad0.py:3: --code could not be loaded: RuntimeError: no"),
        ("def f(:\n", r"bad1.py:1: --code could not be loaded: SyntaxError"),
        ("import sys\nsys.exit(3)\n", r"bad2.py:2: --code could not be loaded: SystemExit: 3"),
        (
            "from relcon.interfaces import Augmenter as A\nA.register('toy.Drop.v1')(int)\n",
            r"bad3.py:2: .*'toy.Drop.v1' is already registered",
        ),
    ],
)
def test_a_file_that_fails(tmp_path, toy_code, code, message, request):
    load_code(toy_code)
    file = tmp_path / f"bad{request.node.callspec.indices['code']}.py"
    file.write_text(code)
    with pytest.raises(RelconError, match=message):
        load_code(file)


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(RelconError, match="does not exist"):
        load_code(tmp_path / "none.py")
    with pytest.raises(RelconError, match="is a folder; give a file"):
        load_code(tmp_path)
    (tmp_path / "text.txt").write_text("")
    with pytest.raises(RelconError, match=r"must end in \.py"):
        load_code(tmp_path / "text.txt")


def test_two_files_of_one_name(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "parts.py").write_text("")
    load_code(tmp_path / "a" / "parts.py")
    with pytest.raises(RelconError, match="have the same name"):
        load_code(tmp_path / "b" / "parts.py")


# ---- arguments ----


def test_annotations_that_cannot_be_resolved():
    class Odd:
        def __init__(self, x: "NoSuchType"): ...  # noqa: F821

    with pytest.raises(RelconError, match=r"the types of .*Odd cannot be read: name 'NoSuchType' is not defined"):
        arguments(Odd)


def test_a_class_without_a_constructor_takes_no_arguments(toy_code):
    load_code(toy_code)
    assert arguments(component_of("poolers", "toy.First.v1")) == {}
