"""Methods: arrays in, numbers out. They know no table, no place and no claim."""
