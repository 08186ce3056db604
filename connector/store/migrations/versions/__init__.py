"""Hold the steps, oldest first."""
