"""A tiny chat application beside the portal: it reports each message and stops at its cap."""
