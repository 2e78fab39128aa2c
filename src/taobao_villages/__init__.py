"""Claims, data and figures of a reproducible reading of Li (2017) on Taobao Villages."""

import os
import sys
from pathlib import Path

__version__ = "0.1.0"
PACKAGE = Path(__file__).absolute().parent  # the one place that knows where the package lies
LAYOUT = 2  # in the names of what is kept between builds: raise it when files of the package move

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

if "TAOBAO_READS" in os.environ:  # a notebook runs for the book
    from taobao_villages.book import reads

    reads.trace(os.environ[reads.VARIABLE])
