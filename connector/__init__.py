"""The Flavours connector: every new Flavours customer in the business's CRM or books, once and correct."""

__version__ = "0.1.0"
