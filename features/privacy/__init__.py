"""What is kept of persons, and how: addresses as keyed hashes, consent, and values that are never shown."""
