"""The course: pages, slides, labs, their archives, and the grader."""
