"""Targets: the CRM and accounting systems that customers are brought to; one file for each kind."""
