"""Claims, data and figures of a reproducible reading of Li (2017) on Taobao Villages."""

__version__ = "0.1.0"
