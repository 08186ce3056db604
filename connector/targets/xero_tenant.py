"""Know which organisation of Xero is meant: the one of the settings, else the only one that the app is connected to."""

from connector.errors import Refused, Uncertain
from connector.targets import records
from connector.targets.http import Call, Http


class Tenant:
    """Be the organisation of a target; `http` leads to the root of Xero's API."""

    def __init__(self, given: str | None, http: Http) -> None:
        self._given, self._http = given, http
        self._seen: str | None = None

    def forget(self) -> None:
        """Ask anew at the next call: another organisation may have been connected since."""
        self._seen = None

    def id(self) -> str:
        """Return the organisation's id: as the settings say it, else of the one that the app is connected to."""
        if self._given is not None:
            return self._given
        seen = self._seen or self._connected()
        self._seen = seen
        return seen

    def _connected(self) -> str:
        call = Call("GET", "/connections", "/connections")
        data = self._http.call(call).data
        if not isinstance(data, list):
            raise Uncertain(f"{self._http.shown(call)} answered with something that is not a list of connections")
        found = [row for row in records.rows(data) if row.get("tenantType") == "ORGANISATION"]
        if len(found) == 1:
            return records.text(found[0].get("tenantId"))
        names = ", ".join(f"{row.get('tenantId')} ({row.get('tenantName')})" for row in found)
        cure = f"set tenant_id to one of {names}" if found else "run connector targets connect"
        raise Refused(f"the app is connected to {len(found)} organisations of Xero; {cure}")
