"""Executed notebooks: percent scripts in, `.ipynb` files with their outputs out.

Turns every script of `notebooks/` into a notebook that a kernel has run from top to bottom, in the folder of
the script, so that its paths hold. Time and null rule: those of the notebook. Needs the extra `notebooks`.

    python -m training.notebooks --out executed
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from features.errors import InputError
from training.checks.results import ROOT
from training.console import Output

__all__ = ["execute"]

_FOLDER = ROOT / "notebooks"
_SECONDS_PER_CELL = 600


def execute(scripts: Sequence[Path], *, out: Path) -> Iterator[Path]:
    """The executed notebook of each script, written to the folder `out`, one after the other.

    Raises InputError, with the cell's own error, for a notebook that does not run to its end.
    """
    import jupytext
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    out.mkdir(parents=True, exist_ok=True)
    for script in scripts:
        notebook = jupytext.read(script)
        # A notebook has no file of its own; its script's stands in for it.
        notebook.cells.insert(0, nbformat.v4.new_code_cell(f"__file__ = {str(script.resolve())!r}"))
        client = NotebookClient(
            notebook, timeout=_SECONDS_PER_CELL, resources={"metadata": {"path": str(script.parent)}}
        )
        try:
            client.execute()
        except CellExecutionError as error:
            raise InputError(
                f"{script.name} stops at an error", got=error, fix="mend the notebook"
            ) from error
        del notebook.cells[0]
        path = out / f"{script.stem}.ipynb"
        nbformat.write(notebook, path)
        yield path


def main() -> None:
    """The command: execute all notebooks."""
    parser = argparse.ArgumentParser(prog="python -m training.notebooks", description=__doc__)
    parser.add_argument("--out", type=Path, default=_FOLDER / "executed", help="where the .ipynb files go")
    given = parser.parse_args()
    output = Output(as_json=False)
    for path in execute(sorted(_FOLDER.glob("*.py")), out=given.out):
        output.note(str(path))


if __name__ == "__main__":
    main()
