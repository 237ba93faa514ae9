"""The log of answers: what is kept of each, how it gets into the store, and how it is computed again."""
