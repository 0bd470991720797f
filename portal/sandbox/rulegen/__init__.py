"""Makes `rules.json` from Stripe's OpenAPI file and the type files of the pinned stripe package."""
