"""The worker: claim, deliver, settle."""
