"""What several test files share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent

# No deadline, since the machine may be busy; the same examples in every run, so that red means a change of ours.
settings.register_profile("quick", deadline=None, derandomize=True, max_examples=40)
# pytest --hypothesis-profile=thorough looks for new ones.
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile("quick")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real music that lies beside the repository on the makers' machines; skips elsewhere."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the folder of real music beside the repository")
    return folder


@pytest.fixture(scope="session")
def tiny_style(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a style that was learnt in a second or two; skips without torch."""
    pytest.importorskip("torch")
    import tiny
    from kapelle import save_style

    return save_style(tiny.style(make=tiny.band), tmp_path_factory.mktemp("styles") / "tiny.safetensors")


@pytest.fixture(scope="session")
def melody() -> Any:
    """A style of windows of a melody that was learnt in a second or two; skips without torch."""
    pytest.importorskip("torch")
    import windowed

    return windowed.taught()


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of a studio that runs, with the token; skips without the extra."""
    pytest.importorskip("fastapi")
    pytest.importorskip("httpx2")
    import studios

    yield from studios.running(tmp_path_factory.mktemp("studio"))


@pytest.fixture(scope="module")
def take(studio: Any) -> str:
    """The id of a take that was composed in it."""
    import studios

    return studios.composed(studio, style="folk", bars=4, seed=1, key="D major", title="A tune")


@pytest.fixture
def terminal(
    tiny_style: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Any:
    """Commands in an empty folder, with one style of the user's called tiny."""
    from terminal import Terminal

    for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    (tmp_path / "desk").mkdir()
    monkeypatch.chdir(tmp_path / "desk")
    return Terminal(tiny_style, tmp_path / "home", capsys)
