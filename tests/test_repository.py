"""What the files around the package promise: the documents' examples run, versions agree, the demo works."""

import doctest
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
WITH_THIS_CHECKOUT = os.environ | {"PYTHONPATH": str(ROOT)}


def python_blocks(text):
    """The code blocks marked `python` that hold a session."""
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    return [block for block in blocks if ">>>" in block]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_examples_of_documents_run(path):
    globals_of_the_document = {}
    for number, block in enumerate(python_blocks(path.read_text())):
        test = doctest.DocTestParser().get_doctest(block, globals_of_the_document, f"{path.name}, block {number}", str(path), 0)
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        report = []
        runner.run(test, out=report.append, clear_globs=False)
        globals_of_the_document = test.globs
        assert not runner.failures, "".join(report)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text()):
        assert "://" in target or (path.parent / target).exists(), f"{path.name} links to {target}, which is not there"


def test_the_newest_version_of_the_changelog_is_the_project_s():
    versions = re.findall(r"^## \[(.*?)\]", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert versions[0] == "Unreleased"
    assert PROJECT["project"]["version"] in versions or versions == ["Unreleased"]


def test_readme_and_help_of_make_name_every_target():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.search(r"^\.PHONY: (.*)$", makefile, flags=re.MULTILINE)[1].split()) - {"help"}
    described = set(re.findall(r'@echo "make ([\w-]+)', makefile))
    assert described == targets


def test_the_ci_script_is_executable_bash():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)


def test_the_console_script_exists():
    module, _, function = PROJECT["project"]["scripts"]["tapediff"].partition(":")
    code = f"import {module} as module; module.{function}"
    subprocess.run([sys.executable, "-c", code], check=True, env=WITH_THIS_CHECKOUT)


def test_the_package_says_that_it_is_typed():
    assert (ROOT / "tapediff" / "py.typed").is_file()
    assert PROJECT["tool"]["setuptools"]["package-data"]["tapediff"] == ["py.typed", "*.pyi"]


def test_peers_lists_its_workloads_without_importing_a_library():
    code = "import sys; from benchmarks.peers.__main__ import main; main(['--list']); sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "vector-chain" in done.stdout


@pytest.mark.slow
def test_the_demo_writes_checked_gradients_and_a_picture(tmp_path):
    pytest.importorskip("sklearn", reason="the demo's data comes with scikit-learn")
    pytest.importorskip("matplotlib", reason="the demo draws with matplotlib")
    recipe = re.search(r"^demo:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)[1]
    recipe = recipe.replace("\\\n", " ").replace("@", "")
    recipe = recipe.replace("$(BIN)/python", sys.executable).replace("$(RESULTS)", str(tmp_path / "r"))
    done = subprocess.run(["bash", "-euc", recipe], cwd=ROOT, env=WITH_THIS_CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^rows +1,797$", done.stdout, flags=re.MULTILINE)
    assert "5 rows against central finite differences" in done.stdout
    assert (tmp_path / "r" / "grad_pixels.npy").is_file()
    assert (tmp_path / "r" / "digits.png").read_bytes().startswith(b"\x89PNG")
