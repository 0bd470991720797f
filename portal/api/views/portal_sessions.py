"""A link that signs one member in, once."""

from __future__ import annotations

from flask import url_for

from portal.api.auth import api_key
from portal.api.operations import operation
from portal.api.problems import unfit
from portal.api.requests import account_id_of, database, scope, settings, wall
from portal.api.schemas.portal_sessions import GivenPortalSession, ToldPortalSession
from portal.api.schemas.problems import FieldProblem
from portal.domain.keys import Access
from portal.services import links


@operation(
    "POST",
    "/portal-sessions",
    Access.PORTAL_SESSIONS,
    {201: ToldPortalSession},
    body=GivenPortalSession,
    refuses=(404,),
)
def create_portal_session(body: GivenPortalSession) -> ToldPortalSession:
    """Make a link that signs a member in.

    The key needs `portal-sessions`, which to write does not give: it opens every member's account.
    It works once, for five minutes, and opens a page with one button: what only looks at the
    address does not spend it. Send the member's browser there by a redirect; never put it into a
    mail.
    """
    account_id = account_id_of(body.account)
    made = links.make(database(), scope(), account_id, body.email, body.page, api_key(), wall())
    if made is None:
        raise unfit([FieldProblem(pointer="#/email", detail="is of no member of the account")])
    url = settings().public_url + url_for("links.show", written=made.written)
    return ToldPortalSession(url=url, expires_at=made.expires_at)
