"""What Zoho's products share: where an account lives, and what its credentials are asked with."""

import pytest

from connector.config import TargetConfig
from connector.targets.kinds import kind, open_target, problems
from tests.targets.conftest import SETTINGS

KINDS = [name for name in SETTINGS if name.startswith("zoho_")]
HOSTS = [
    ("sa", "www.zohoapis.sa", "accounts.zoho.sa"),
    ("com", "www.zohoapis.com", "accounts.zoho.com"),
    ("com.au", "www.zohoapis.com.au", "accounts.zoho.com.au"),
    ("ca", "www.zohoapis.ca", "accounts.zohocloud.ca"),
]


def given(of, **more):
    settings = {name: value for name, value in SETTINGS[of]().items() if name != "base_url"} | more
    return {name: value for name, value in settings.items() if value is not None}


def target(of, **more):
    return TargetConfig("crm", of, given(of, **more), "config.yaml", {"": (3, 1)})


@pytest.mark.parametrize("of", KINDS)
@pytest.mark.parametrize(("region", "api", "accounts"), HOSTS)
def test_the_region_says_where_the_account_lives(of, region, api, accounts):
    said = target(of, region=region)
    assert open_target(said)._http.host == api
    oauth2 = kind(of).oauth2(kind(of).schema.load(said.settings))
    assert (oauth2.ways.token_url, oauth2.ways.authorize_url) == (
        f"https://{accounts}/oauth/v2/token",
        f"https://{accounts}/oauth/v2/auth",
    )
    assert (oauth2.ways.scheme, oauth2.connects) == ("Zoho-oauthtoken", True)
    assert oauth2.ways.authorize_with == {"access_type": "offline", "prompt": "consent"}
    assert "contacts" in oauth2.ways.scope


@pytest.mark.parametrize("of", KINDS)
def test_accounts_of_two_regions_are_two(of):
    assert open_target(target(of, region="sa")).account != open_target(target(of, region="eu")).account


@pytest.mark.parametrize("of", KINDS)
@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"region": None}, "region: is missing; it is the ending of the address where you sign in"),
        ({"region": "saudi"}, "region: must be one of: sa, com, eu"),
        ({"oauth2": None}, "oauth2: is missing"),
        ({"oauth2": {"client_id": "c", "grant": "client_credentials"}}, "oauth2.grant: must be one of: refresh_token"),
        ({"region": None, "base_url": "https://www.zohoapis.new/crm/v8"}, "region: is missing"),
    ],
)
def test_mistakes_are_named(of, more, said):
    (problem,) = problems(target(of, **more))
    assert said in str(problem)


@pytest.mark.parametrize("of", KINDS)
def test_a_data_centre_that_is_not_known_here_can_be_named(of):
    oauth2 = {"client_id": "c", "client_secret": "s", "token_url": "https://accounts.zoho.new/oauth/v2/token"}
    said = target(of, region=None, base_url="https://www.zohoapis.new/api", oauth2=oauth2)
    assert problems(said) == []
    found = kind(of).oauth2(kind(of).schema.load(said.settings))
    assert (found.ways.token_url, found.connects) == ("https://accounts.zoho.new/oauth/v2/token", False)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"organization_id": "my company"}, "organization_id: must be the number"),
        ({"organization_id": None}, "organization_id: is missing"),
        ({"unique_field": "Flavours ID"}, "unique_field: must be the API name"),
        ({"time_zone": "Riyadh"}, "time_zone: "),
    ],
)
def test_mistakes_in_zoho_books_own_settings(more, said):
    (problem,) = problems(target("zoho_books", **more))
    assert said in str(problem)
