"""What importing radixchat costs, and what it must never bring along."""

from __future__ import annotations

from pathlib import Path

import pytest

HEAVY = {"torch", "transformers", "triton", "textual"}
LIGHT_COMMANDS = (Path(__file__).parent / "light_commands.txt").read_text().splitlines()

# What transformers makes of a package called `kernels`: none of ours may pass for the real one.
TRANSFORMERS = """
import transformers.integrations.hub_kernels
import radixchat.kernels

assert not transformers.utils.is_kernels_available()
print(radixchat.kernels.__file__)
"""


@pytest.mark.parametrize("module", ["radixchat", "radixchat.radix", "radixchat.viz"])
def test_the_light_floors_bring_no_heavy_package_along(module, run):
    loaded = run("-c", f"import sys, {module}; print(*sys.modules)")
    assert not HEAVY.intersection(loaded.split())


@pytest.mark.parametrize("command", LIGHT_COMMANDS)
def test_a_light_command_brings_no_heavy_package_along(command, run):
    loaded = run(
        "-c",
        "import atexit, sys\n"
        "atexit.register(lambda: print(*sys.modules))\n"
        f"sys.argv = {['radixchat', *command.split()]!r}\n"
        "from radixchat.chat.cli import main\n"
        "main()",
    )
    assert not HEAVY.intersection(loaded.splitlines()[-1].split())


def test_the_app_paints_before_any_model_library_is_imported(run):
    loaded = run("-c", "import sys, radixchat.chat.tui.run; print(*sys.modules)")
    assert not {"torch", "transformers", "triton"}.intersection(loaded.split())


def test_transformers_may_import_our_kernels_and_get_nothing(root):
    assert (root / "kernels/__init__.py").read_bytes() == b""


def test_a_checkout_on_the_path_is_not_the_kernels_package_for_an_editable_install(root, run):
    assert Path(run("-c", TRANSFORMERS, cwd=root).strip()) == root / "kernels/__init__.py"


@pytest.mark.wheel
def test_a_checkout_on_the_path_is_not_the_kernels_package_for_a_wheel(root, wheel_python, run):
    found = Path(run("-c", TRANSFORMERS, python=wheel_python, cwd=root).strip())
    assert found.is_relative_to(wheel_python.parents[1])


def test_a_checkout_on_the_path_is_not_the_kernels_package_for_a_plain_checkout(root, bare_python, run, tmp_path):
    (tmp_path / "radixchat").symlink_to(root)
    found = Path(run("-c", TRANSFORMERS, python=bare_python, cwd=root, PYTHONPATH=str(tmp_path)).strip())
    assert found == tmp_path / "radixchat/kernels/__init__.py"


@pytest.mark.wheel
def test_a_wheel_puts_one_name_into_site_packages(wheel_python, run):
    names = "kernels", "radix", "viz", "chat", "examples"
    found = run("-c", f"from importlib.util import find_spec; print(*map(find_spec, {names!r}))", python=wheel_python)
    assert set(found.split()) == {"None"}


def test_running_the_module_ignores_the_working_directory(run, tmp_path):
    (tmp_path / "typer.py").write_text("raise SystemExit('took a stray file for a library')")
    assert run("-m", "radixchat", "--version", cwd=tmp_path)
