"""Is the page's bundle what its sources give? Builds it anew beside the one that is committed, and compares.

    python web/check.py

Ends with 1 if they differ. Where there is no npm, or it reaches no registry, it says so and ends with 0.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

WEB = Path(__file__).resolve().parent
PAGE = WEB.parent / "src" / "kapelle" / "studio" / "page"


def main() -> int:
    """Compare."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        print("the bundle was not checked: there is no npm here")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", "package-lock.json", "build.js", "synth.js"):
            shutil.copy(WEB / name, folder)
        installed = subprocess.run([npm, "ci", "--silent"], cwd=folder, capture_output=True, text=True)
        if installed.returncode:
            why = (installed.stderr or installed.stdout).strip().splitlines()[:1]
            print(f"the bundle was not checked: npm ci failed here ({''.join(why)[:200]})")
            return 0
        made = Path(folder) / "made"
        made.mkdir()
        subprocess.run([node, "build.js", str(made)], cwd=folder, check=True)
        other = [path.name for path in made.iterdir() if path.read_bytes() != (PAGE / path.name).read_bytes()]
    if other:
        print(
            f"{', '.join(other)}: expected what `npm ci && npm run build` in web/ makes, got something else; build anew"
        )
        return 1
    print("the bundle is what its sources give")
    return 0


if __name__ == "__main__":
    sys.exit(main())
