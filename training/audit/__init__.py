"""The leakage audit: what a model learned from, in findings that block its promotion or warn."""
