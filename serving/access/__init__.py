"""Who may ask for what: keys, their scopes and their limits."""
