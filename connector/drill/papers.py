"""Write what a throw-away installation needs to be told: its configuration, with short waits, and its mapping."""

import json
import socket
from dataclasses import dataclass
from pathlib import Path

_CONFIG = """\
database: {database}
mappings: mappings
server: {{host: 127.0.0.1, port: {port}}}
worker: {{push_threads: 8, lease: 3s}}
retry: {{first_wait: 300ms, longest_wait: 2s}}
sources:
  flavours: {{auth: {{path_token: {token}}}}}
  branch: {{auth: {{path_token: {token}}}}}
targets:
  looked_up:                      # asked before each create
    kind: rest
    base_url: http://127.0.0.1:{crm}/crm
    allow_private: true
    timeout: 1s
    uncertain_wait: 1500ms        # longer than the CRM takes to commit what it did not answer
    find:
      - {{path: /contacts, query: {{external_id: "{{{{ customer }}}}"}}, records: items, match: {{external_id: "{{{{ customer }}}}"}}}}
      - {{path: /contacts, query: {{phone: "{{{{ record.phone }}}}"}}, records: items, match: {{phone: "{{{{ record.phone }}}}"}}}}
    create: {{method: POST, path: /contacts, envelope: contact, id: contact.id}}
    update: {{method: PUT, path: "/contacts/{{{{ remote_id }}}}", envelope: contact}}
  keyed:                          # never asked: the key of a repeated create is enough
    kind: rest
    base_url: http://127.0.0.1:{crm}/keyed
    allow_private: true
    timeout: 1s
    idempotency_header: Idempotency-Key
    create: {{method: POST, path: /contacts, envelope: contact, id: contact.id}}
    update: {{method: PUT, path: "/contacts/{{{{ remote_id }}}}", envelope: contact}}
syncs:
  to_looked_up: {{source: flavours, actions: [customers.CREATE], mapping: drill, target: looked_up}}
  to_keyed: {{source: branch, actions: [customers.CREATE], mapping: drill, target: keyed}}
"""

_MAPPING = """\
version: 1
kind: rest
match: [external_id, phone]
fields:
  external_id: id
  name: user.name
  phone:
    from: user.phone
    use: phone
  city: city
"""


@dataclass(frozen=True, slots=True)
class Facts:
    """Hold what differs between drills, and between the doors of one."""

    database: str
    port: int
    token: str
    crm: int


def write(path: Path, facts: Facts) -> None:
    """Write a configuration for its owner's eyes only (a database's address may hold a password), and the mapping."""
    mapping = path.parent / "mappings" / "drill.yaml"
    mapping.parent.mkdir(exist_ok=True)
    mapping.write_text(_MAPPING, encoding="utf-8")
    path.touch(mode=0o600)
    database = json.dumps(facts.database)  # which is YAML, too
    path.write_text(
        _CONFIG.format(database=database, port=facts.port, token=facts.token, crm=facts.crm), encoding="utf-8"
    )


def free_port() -> int:
    """Return a port of this machine on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
