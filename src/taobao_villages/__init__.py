"""Claims, data and figures of a reproducible reading of Li (2017) on Taobao Villages."""

import os
from pathlib import Path

__version__ = "0.1.0"
PACKAGE = Path(__file__).absolute().parent  # the one place that knows where the package lies
LAYOUT = 2  # in the names of what is kept between builds: raise it when files of the package move

if "TAOBAO_READS" in os.environ:  # a notebook runs for the book
    from taobao_villages.book import reads

    reads.trace(os.environ[reads.VARIABLE])
