"""Claims, data and figures of a reproducible reading of Li (2017) on Taobao Villages."""

import os
import sys
from pathlib import Path

__version__ = "0.1.0"
PACKAGE = Path(__file__).absolute().parent  # the one place that knows where the package lies
LAYOUT = 3  # in the names of what is kept between builds: raise it when files of the package move

if os.environ.get("TAOBAO_DATA"):  # said from where we are now: notebooks run in another folder
    os.environ["TAOBAO_DATA"] = os.path.abspath(os.path.expanduser(os.environ["TAOBAO_DATA"]))


def elsewhere(folder: Path) -> str:
    """What to say where `folder` lies in a repository whose package is not this one; else empty.

    A copied folder would silently give the numbers of the first one: its environment names that.
    """
    for place in (folder, *folder.parents):
        own = place / "src" / "taobao_villages" / "__init__.py"
        if os.path.isfile(own):
            if os.path.samefile(own, PACKAGE / "__init__.py"):
                return ""
            told = f"{place} has a package of its own, but {PACKAGE} is in use"
            return f"{told}. Remedy: run make there, or with conda: pip install --no-deps -e ."
    return ""


if "ipykernel" in sys.modules and (told := elsewhere(Path.cwd())):
    print(told, file=sys.stderr)


def load_ipython_extension(_: object) -> None:
    """Let a kernel of a build note what it looks at, from before its first cell."""
    from taobao_villages import inputs

    if inputs.VARIABLE in os.environ:
        inputs.trace(os.environ[inputs.VARIABLE])


if "TAOBAO_READS" in os.environ and "IPython" not in sys.modules:  # a worker of such a kernel
    load_ipython_extension(None)
