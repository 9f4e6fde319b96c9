"""Who may call what: keys, scopes, unknown paths, wrong methods (contract section 1)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pilotbot.sandbox import SandboxSettings
from tests.sandbox.conftest import QUICK, Api

NUMBER, TENANT = "ps_sandbox_number", "ps_sandbox_tenant"
PER_NUMBER = [
    ("POST", "/v1/messages/send"),
    ("GET", "/v1/messages/x"),
    ("DELETE", "/v1/messages/cancel"),
    ("GET", "/v1/messages/history"),
    ("GET", "/v1/templates"),
    ("GET", "/v1/templates/x"),
    ("POST", "/v1/templates"),
    ("PUT", "/v1/templates/x"),
    ("DELETE", "/v1/templates/x"),
]
BOTH = [("GET", "/v1/webhooks"), ("POST", "/v1/webhooks"), ("GET", "/v1/webhooks/x"), ("GET", "/v1/webhooks/x/logs")]
TENANT_ONLY = [("GET", "/v1/numbers")]


@pytest.mark.parametrize(("method", "path"), PER_NUMBER + BOTH + TENANT_ONLY)
@pytest.mark.parametrize("key", [None, "ps_wrong", ""])
async def test_without_a_key_401(api: Api, method: str, path: str, key: str | None) -> None:
    answer = await api.as_key(key).call(method, path)
    assert answer.status == 401
    assert answer.json.keys() == {"error"}


@pytest.mark.parametrize(("method", "path"), PER_NUMBER)
async def test_a_tenant_key_may_not_act_on_a_number(api: Api, method: str, path: str) -> None:
    answer = await api.as_key(TENANT).call(method, path)
    assert (answer.status, answer.json["code"]) == (403, "TENANT_SCOPE_NOT_ALLOWED")


@pytest.mark.parametrize(("method", "path"), TENANT_ONLY)
async def test_a_number_key_may_not_act_on_the_tenant(api: Api, method: str, path: str) -> None:
    answer = await api.call(method, path)
    assert (answer.status, answer.json["code"]) == (403, "NUMBER_SCOPE_NOT_ALLOWED")


async def test_the_key_id_is_taken_instead_of_the_key(api: Api) -> None:
    answer = await api.as_key(None).call("GET", "/v1/templates", headers={"x-api-key-id": "key_number"})
    assert answer.status == 200
    wrong = await api.as_key("ps_wrong").call("GET", "/v1/templates", headers={"x-api-key-id": "key_number"})
    assert wrong.status == 401


async def test_bearer_is_not_accepted(api: Api) -> None:
    answer = await api.as_key(None).call("GET", "/v1/templates", headers={"authorization": f"Bearer {NUMBER}"})
    assert answer.status == 401


NAMED = {"x-whatsapp-number-id": "num_meta"}


async def test_a_tenant_that_names_a_number_reads_but_does_not_send(api: Api) -> None:
    tenant = api.as_key(TENANT)
    assert (await tenant.call("GET", "/v1/messages/history", headers=NAMED)).status == 200
    refused = await tenant.call("POST", "/v1/messages/send", {}, headers=NAMED)
    assert (refused.status, refused.json["code"]) == (403, "TENANT_SCOPE_NOT_ALLOWED")
    unknown = await tenant.call("GET", "/v1/templates", headers={"x-whatsapp-number-id": "num_other"})
    assert (unknown.status, unknown.json["code"]) == (404, "NUMBER_NOT_FOUND")


async def test_the_number_header_is_ignored_for_a_number_key(api: Api) -> None:
    answer = await api.call("GET", "/v1/templates", headers={"x-whatsapp-number-id": "num_evolution"})
    assert {item["source"] for item in answer.json} == {"META"}


class TestTenantMaySend:
    @pytest.fixture
    def settings(self) -> SandboxSettings:
        return replace(QUICK, tenant_sends=True)

    async def test_when_set_so(self, api: Api) -> None:
        body = {"destinationNumber": "+5511987650001", "text": "a"}
        answer = await api.as_key(TENANT).call("POST", "/v1/messages/send", body, headers=NAMED)
        assert answer.status == 202


async def test_numbers(api: Api) -> None:
    answer = await api.as_key(TENANT).call("GET", "/v1/numbers")
    shown = [(item["id"], item["number"], item["provider"], item["isFullyConnected"]) for item in answer.json]
    assert shown == [
        ("num_meta", "551140028922", "META", True),
        ("num_evolution", "551140028933", "PILOT_STATUS", True),
    ]


@pytest.mark.parametrize("path", ["/v1", "/v1/nope", "/v1/messages/a/b", "/sandbox/nope", "/phone/nope.js", "/nope"])
async def test_unknown_paths_are_404_in_json(api: Api, path: str) -> None:
    answer = await api.call("GET", path)
    assert answer.status == 404
    assert answer.json == {"error": "Not found"}


async def test_a_wrong_method_is_405_in_json(api: Api) -> None:
    answer = await api.call("PUT", "/v1/messages/send")
    assert answer.status == 405
    assert "POST" in answer.headers["Allow"]
    assert "POST" in answer.json["error"]
