"""What every reply has, error pages included: headers, cookies, and forms that leak no token."""

from __future__ import annotations

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.errors import PaymentsUnavailable
from portal.web.forms.sign_in import safe_next
from tests.walks.places import own
from tests.walks.stage import HOST, METHODS, Stage
from tests.walks.test_tokens import asking_for_tokens

BILLING = "/settings/billing"
GRID = f"{BILLING}/add-ons"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Strict-Transport-Security": "max-age=31536000",
    "Cache-Control": "private, no-store",
}
HTMX = {"HX-Request": "true"}
ATTRIBUTES = {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"}
EXPORTS = (".csv", "/pdf")
NAMED = ("portal", "device", "staff", "support", "theme", "language")
OUR_COOKIES = tuple(f"__Host-{name}=" for name in NAMED)


def check(reply, where: str) -> None:
    """Headers and cookies of one reply."""
    for name, value in HEADERS.items():
        assert reply.headers.getlist(name) == [value], (where, name)
    policy = reply.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'"), where
    assert "unsafe" not in policy
    for written in reply.headers.getlist("Set-Cookie"):
        name, *attributes = written.split(";")
        assert name.startswith(OUR_COOKIES), (where, name)
        assert {each.strip() for each in attributes} >= ATTRIBUTES, (where, written)
        assert "domain" not in written.lower()


def check_forms(reply, where: str) -> None:
    """No token in a form whose fields end up in an address; no script, no style in the page."""
    document = html5lib.parse(reply.text, namespaceHTMLElements=False)
    for form in document.iter("form"):
        names = {field.get("name") for field in form.iter("input")}
        posts = (form.get("method") or "get").lower() == "post"
        assert ("csrf_token" in names) is posts, (where, form.get("action"))
    for element in document.iter():
        assert not [each for each in element.attrib if str(each).startswith("on")], where
        assert element.get("style") is None, where
    assert all(element.get("src") for element in document.iter("script")), where
    assert list(document.iter("style")) == []


@pytest.mark.parametrize("who", ["owner", "staff", "nobody"])
def test_every_address_with_every_method(stage, who):
    cells = 0
    for path in sorted(
        {stage.own_address(rule) for rule in [*stage.rules(), *stage.rules(api=True)]}
    ):
        for method in METHODS:
            stage.app.config["WTF_CSRF_ENABLED"] = method == "GET"  # forms as browsers get them
            reply = stage.ask(who, method, path)
            check(reply, f"{method} {path}")
            if method == "GET" and reply.mimetype == "text/html":
                check_forms(reply, path)
            cells += 1
    stage.app.config["WTF_CSRF_ENABLED"] = False
    assert cells > 400


def broken(error: Exception):
    def view(**_named: object):
        raise error

    return view


def errors(stage: Stage, monkeypatch) -> dict[int, list[dict[str, object]]]:
    """Requests that end in each status; `hush` is what went wrong inside."""
    monkeypatch.setitem(stage.app.config, "PROPAGATE_EXCEPTIONS", False)
    monkeypatch.setitem(stage.app.view_functions, "wallet.index", broken(RuntimeError("hush")))
    down = broken(PaymentsUnavailable("hush"))
    monkeypatch.setitem(stage.app.view_functions, "invoices.index", down)
    monkeypatch.setitem(stage.app.view_functions, "api.list_add_ons", broken(RuntimeError("hush")))
    held = own(stage.places, stage.owner, "instance_id").value
    large = {"data": b"x" * 1_000_001, "content_type": "application/x-www-form-urlencoded"}
    return {
        401: [
            {"who": "nobody", "path": GRID, "headers": HTMX},
            {"who": "wrong key", "path": "/api/v1/accounts/x"},
        ],
        403: [{"who": "member", "path": f"{BILLING}/members", "method": "POST"}],
        404: [{"path": "/nowhere"}, {"who": "write key", "path": "/api/v1/nowhere"}],
        405: [{"path": GRID, "method": "DELETE"}, {"path": "/api/v1/quotes"}],
        409: [{"path": f"{GRID}/active/{held}/withdraw"}],
        413: [{"path": f"{BILLING}/notifications", "method": "POST"} | large],
        422: [{"who": "nobody", "path": "/sign-in", "method": "POST"}],
        500: [{"path": f"{BILLING}/wallet"}, {"who": "write key", "path": "/api/v1/add-ons"}],
        503: [{"path": f"{BILLING}/invoices"}],
    }  # fmt: skip


def ask(stage: Stage, **request: object):
    given = {"who": "owner", "method": "GET"} | request
    return stage.ask(given.pop("who"), given.pop("method"), given.pop("path"), **given)


def test_every_error_page_has_all_headers_and_tells_nothing(stage, monkeypatch):
    for status, requests in errors(stage, monkeypatch).items():
        for request in requests:
            for extra in ({}, HTMX):
                headers = {**request.get("headers", {}), **extra}
                reply = ask(stage, **(request | {"headers": headers}))
                assert reply.status_code == status, (request, reply.text[-300:])
                check(reply, f"{status} {request['path']}")
                assert "hush" not in reply.text
                assert "Traceback" not in reply.text
                assert status != 405 or reply.headers["Allow"]


def test_a_form_that_has_expired_has_all_headers(stage):
    with asking_for_tokens(stage):
        reply = ask(stage, path=f"{BILLING}/notifications", method="POST")
    assert reply.status_code == 400
    check(reply, "400")


@pytest.mark.parametrize(
    ("who", "method", "path", "most"),
    [
        ("owner", "GET", f"{GRID}/salesforce/purchase", 121),
        ("owner", "POST", f"{GRID}/salesforce/purchase", 61),
        ("owner", "GET", f"{BILLING}/wallet/ledger.csv", 61),
        ("nobody", "POST", "/webhooks/stripe/development", 61),
        ("nobody", "POST", "/sign-in", 6),
    ],
)
def test_who_asks_too_often_is_told_when_to_come_back(stage, who, method, path, most):
    typed = {"data": {"email": "a@b.test", "password": "wrong"}} if path == "/sign-in" else {}
    with stage.undone():
        replies = [stage.send(who, method, path, **typed) for _ in range(most)]
        late = stage.send(who, method, path, headers=HTMX, **typed)
    assert [r.status_code for r in replies].index(429) == most - 1
    assert late.status_code == 429
    assert 0 < int(late.headers["Retry-After"]) <= 60
    assert "<html" not in late.text
    assert "Too many" in late.text
    check(late, path)


def test_every_file_that_can_be_taken_away_is_paced(stage):
    found = [rule for rule in stage.rules() if rule.rule.endswith(EXPORTS)]
    assert len(found) >= 5
    for rule in found:
        assert hasattr(stage.app.view_functions[rule.endpoint], "__pace__"), (
            f"{rule.endpoint} makes a file: put @paced(EXPORT) below its @requires(…)"
        )


HOSTILE = st.one_of(
    st.sampled_from(
        ["//evil.test", "https://evil.test", "/\\evil.test", "\\\\evil.test", "/\t/evil.test",
         "javascript:alert(1)", " //evil.test", "///evil.test", "/\n/evil.test", "http:evil.test",
         "//evil.test%2f..", "evil.test", "/\x00/evil.test", "/%09/evil.test"]
    ),
    st.builds("".join, st.lists(st.sampled_from("/\\:@.?#\t\r\n a\x00%"), max_size=8)),
    st.text(max_size=20),
)  # fmt: skip


@given(HOSTILE)
def test_nothing_typed_leads_off_the_portal(target):
    found = safe_next(target, "/home")
    assert found == "/home" or (found == target and found.startswith("/"))
    assert not found.startswith(("//", "/\\"))
    assert not any(ord(sign) < 32 or sign == "\\" for sign in found)


@pytest.mark.parametrize(
    "target", ["//evil.test", "https://evil.test/", "/\\evil.test", "/\t/evil"]
)
def test_a_hostile_next_is_ignored_by_every_page_that_reads_one(stage, target):
    for who, path in (("owner", "/sign-in"), ("staff", "/staff/sign-in")):
        reply = stage.ask(who, "GET", path, query_string={"next": target})
        assert reply.location.startswith("/")
        assert "evil" not in reply.location
    for choice, chosen in (("theme", "dark"), ("language", "en")):
        sent = {choice: chosen, "next": target}
        reply = stage.ask("owner", "POST", f"/preferences/{choice}", data=sent)
        assert reply.status_code == 303
        assert "evil" not in reply.location


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix"])
def test_what_a_stranger_says_was_forwarded_changes_nothing(stage, header):
    plain = stage.ask("nobody", "GET", GRID)
    told = stage.ask("nobody", "GET", GRID, headers={header: "evil.test"})
    assert (told.status_code, told.location) == (plain.status_code, plain.location)
    assert HOST not in told.location
