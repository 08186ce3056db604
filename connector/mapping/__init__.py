"""The mapping: how a Flavours customer becomes the record of a target kind; pure, so that it can be shown and tested."""
