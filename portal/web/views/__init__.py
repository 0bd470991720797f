"""One module a page: read, decide by a service, render."""
