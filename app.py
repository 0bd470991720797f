"""WSGI entry: the portal as a server runs it."""

from portal.factory import create_app

app = create_app()
