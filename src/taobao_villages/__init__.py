"""Claims, data and figures of a reproducible reading of Li (2017) on Taobao Villages."""

import os

__version__ = "0.1.0"

if "TAOBAO_READS" in os.environ:  # a notebook runs for the book
    from taobao_villages import reads

    reads.trace(os.environ[reads.VARIABLE])
