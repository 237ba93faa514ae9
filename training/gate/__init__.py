"""The gate: what a trained model must show before it replaces the one that is served."""
