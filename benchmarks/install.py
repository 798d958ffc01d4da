"""Size of the base install, and that it brings no torch and nothing of CUDA.

    python benchmarks/install.py [--extra train]

Makes an empty virtual environment, installs the package from this checkout into it, and sums up its
site-packages, pip and setuptools left out.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--extra", default="")
    extra = parser.parse_args().extra
    target = f"{ROOT}[{extra}]" if extra else str(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = Path(folder) / "bin" / "python"
        install = [python, "-m", "pip", "install", "-q", "--constraint", ROOT / "constraints.txt", target]
        subprocess.run(install, check=True)
        packages = next(Path(folder).glob("lib/python*/site-packages"))
        sizes = {
            path.name: sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
            if path.is_dir()
            else path.stat().st_size
            for path in packages.iterdir()
            if not path.name.startswith(("pip", "setuptools", "_distutils", "pkg_resources"))
        }
    unwanted = [name for name in sizes if name.startswith(("nvidia", "triton")) or (name == "torch" and not extra)]
    for name, size in sorted(sizes.items(), key=lambda item: -item[1])[:8]:
        print(f"{size / 1e6:8.1f} MB  {name}")
    print(f"{sum(sizes.values()) / 1e6:8.1f} MB  in all")
    raise SystemExit(f"unwanted: {', '.join(unwanted)}" if unwanted else 0)


if __name__ == "__main__":
    main()
