"""What browsers send, checked before any service sees it."""
