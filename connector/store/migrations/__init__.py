"""Change the schema step by step; each step only adds, so that one program version back still works."""
