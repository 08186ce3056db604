"""The vendors that need code: one file each, found by its name; those that do not are in connector/targets/presets."""
