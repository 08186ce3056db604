"""The drill: the real server under kills and a CRM that misbehaves, judged customer by customer; see `connector drill`."""
