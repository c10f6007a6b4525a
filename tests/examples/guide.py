"""Running the commands of a guide in docs/examples/ as they stand, in a small size and a folder of the test."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def run_guide(name, folder, **replaced):
    """Run the shell block of a guide, with texts replaced; returns the results' folder and what was printed."""
    guide = (ROOT / "docs" / "examples" / f"{name}.md").read_text()
    block = re.search(r"^```sh\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)[1]
    replaced |= {f"results/{name}": str(folder / name), "tapediff run": f"{sys.executable} -m tapediff run"}
    for old, new in replaced.items():
        assert old in block
        block = block.replace(old, new)
    block = block.replace("python -m examples", f"{sys.executable} -m examples")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-euc", block], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / name, done.stdout
