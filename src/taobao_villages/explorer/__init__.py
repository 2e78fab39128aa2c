"""The explorer: one border, year and base at a time, and the verdict that follows."""
