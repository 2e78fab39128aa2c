"""Subjects: what the tables say, as tidy frames named by what they are about. No verdict."""
