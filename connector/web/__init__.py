"""The HTTP rooms: the door that takes webhooks in, and what operators ask of it."""
