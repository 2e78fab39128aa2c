"""The argument: one module for each section of the article, with its claims and what judges them.

A chapter takes frames from `subjects`, reckons with `methods`, and judges by `verdicts`. It imports
no other chapter.
"""
