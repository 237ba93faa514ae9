"""Cells of many spellings as values that can be compared: one pure function per kind of cell."""
