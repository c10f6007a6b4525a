"""What the documents say is current: the op reference is what the tables print, and every page can be found."""

import re
from pathlib import Path

import tapediff as td
from tapediff.ops import ELEMENTWISE, STRUCTURAL
from tools.write_op_reference import reference

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
DOCUMENTS = (*ROOT.glob("*.md"), *DOCS.glob("*.md"))


def test_the_op_reference_is_current():
    current = (DOCS / "ops.md").read_text() == reference()
    assert current, "the tables of ops have changed: python -m tools.write_op_reference > docs/ops.md"


def test_the_op_reference_has_a_line_for_every_row():
    named = re.findall(r"^\| (\w+) \|", (DOCS / "ops.md").read_text(), flags=re.MULTILINE)
    assert sorted(named) == sorted([*ELEMENTWISE, *STRUCTURAL, "name", "name"])


def test_the_guide_links_to_every_page():
    index = (DOCS / "index.md").read_text()
    missing = [page.name for page in DOCS.glob("*.md") if page.name != "index.md" and f"({page.name}" not in index]
    assert not missing


def test_files_that_documents_name_exist():
    for path in DOCUMENTS:
        for name in re.findall(r"`((?:tapediff|tests|benchmarks|tools|docs|examples)/[\w/.-]+)`", path.read_text()):
            assert (ROOT / name).exists(), f"{path.name} names {name}, which is not there"


def test_public_names_that_documents_mention_exist():
    for path in DOCUMENTS:
        for name in re.findall(r"`td\.([a-z_]\w*(?:\.\w+)*)", path.read_text()):
            found = td
            for part in name.split("."):
                assert hasattr(found, part), f"{path.name} mentions td.{name}, which is not there"
                found = getattr(found, part)
