"""Which currencies can be charged, their decimals and the smallest charge in each."""

from __future__ import annotations

from portal.sandbox.errors import ApiError

# Source: docs.stripe.com/currencies, minimum charge amounts; minor units
_MINIMUMS = {
    "usd": 50,
    "aed": 200,
    "aud": 50,
    "brl": 50,
    "cad": 50,
    "chf": 50,
    "czk": 1500,
    "dkk": 250,
    "eur": 50,
    "gbp": 30,
    "hkd": 400,
    "huf": 17500,
    "inr": 50,
    "jpy": 50,
    "mxn": 1000,
    "myr": 200,
    "nok": 300,
    "nzd": 50,
    "pln": 200,
    "ron": 200,
    "sek": 300,
    "sgd": 50,
    "thb": 1000,
}
_ZERO_DECIMAL = ("jpy",)
_SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}
_LARGEST = 99_999_999


def check_amount(amount: int, currency: str) -> None:
    """Raises ApiError 400 for an amount that cannot be charged."""
    if currency not in _MINIMUMS:
        raise ApiError(
            f"Invalid currency: {currency}. Stripe currently supports these currencies: "
            f"{', '.join(sorted(_MINIMUMS))}",
            param="currency",
        )
    if amount < 1:
        raise ApiError(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount",
        )
    if amount > _LARGEST:
        raise ApiError(
            f"Amount must be no more than {spoken(_LARGEST, currency)}",
            code="amount_too_large",
            param="amount",
        )
    if amount < _MINIMUMS[currency]:
        raise ApiError(
            f"Amount must be at least {spoken(_MINIMUMS[currency], currency)}",
            code="amount_too_small",
            param="amount",
        )


def spoken(amount: int, currency: str) -> str:
    """`50, "usd"` -> `0.50 usd`."""
    number = str(amount) if currency in _ZERO_DECIMAL else f"{amount // 100}.{amount % 100:02d}"
    return f"{number} {currency}"


def shown(amount: int, currency: str) -> str:
    """`150000, "usd"` -> `$1,500.00`, as customers read it."""
    number = f"{amount:,}" if currency in _ZERO_DECIMAL else f"{amount // 100:,}.{amount % 100:02d}"
    symbol = _SYMBOLS.get(currency)
    return f"{symbol}{number}" if symbol else f"{currency.upper()} {number}"
