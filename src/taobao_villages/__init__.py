"""Claims, data and figures of a reproducible reading of Li (2017) on Taobao Villages."""

import os
import sys
from pathlib import Path

__version__ = "0.1.0"
PACKAGE = Path(__file__).absolute().parent  # the one place that knows where the package lies
LAYOUT = 3  # in the names of what is kept between builds: raise it when files of the package move


def load_ipython_extension(_: object) -> None:
    """Let a kernel of a build note what it looks at, from before its first cell."""
    from taobao_villages import inputs

    if inputs.VARIABLE in os.environ:
        inputs.trace(os.environ[inputs.VARIABLE])


if "TAOBAO_READS" in os.environ and "IPython" not in sys.modules:  # a worker of such a kernel
    load_ipython_extension(None)
