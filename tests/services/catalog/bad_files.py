"""One sound catalog file, and ways to spoil it with every problem that each must name."""

# ruff: noqa: E501 (a table: what is spoilt and what is said about it, side by side)

from __future__ import annotations

from dataclasses import dataclass, field

SOUND = """\
features:
  - {lookup_key: messages, name: Messages, type: metered, use: consumed}
  - {lookup_key: members, name: Members, type: metered, use: held}
  - {lookup_key: sso, name: Single sign-on, type: boolean}
  - {lookup_key: response, name: Response time, type: static}
plans:
  - lookup_key: growth
    name: Growth
    prices:
      - {lookup_key: growth_usd, amount: "99.00", currency: usd, billing_cadence: RECURRING, billing_period: MONTHLY}
    entitlements:
      - {feature: messages, usage_limit: 100000, usage_reset_period: MONTHLY}
      - {feature: response, static_value: Within a day}
add_ons:
  - lookup_key: pack
    name: 100,000 message pack
    type: multiple_instance
    benefit: More messages.
    prices:
      - {lookup_key: pack_usd, amount: "49.00", currency: usd, billing_cadence: ONETIME, capacity_ends: window}
    entitlements:
      - {feature: messages, usage_limit: 100000}
  - lookup_key: sso
    name: Single sign-on
    type: onetime
    benefit: Sign in with your own accounts.
    allowed_plans: [growth]
    prices:
      - {lookup_key: sso_usd, amount: "20.00", currency: usd, billing_cadence: RECURRING, billing_period: MONTHLY}
    entitlements:
      - {feature: sso}
    credit_grants:
      - {name: Welcome, feature: messages, credits: "100", cadence: ONETIME, expiration_type: DURATION, duration: 90 days}
"""

_PLAN_PRICE = "      - {lookup_key: growth_usd, currency: usd, "
_MONTHLY = "billing_cadence: RECURRING, billing_period: MONTHLY"
_FREE = "      - {lookup_key: %s, amount: '0.00', currency: usd, " + _MONTHLY + "}"
_OF_USE = (
    "\n      - {lookup_key: %s, amount: '0.001', currency: usd, type: USAGE, feature: messages, "
    + _MONTHLY
    + "}"
)
_SOFT = "      - {feature: messages, usage_limit: 0, is_soft_limit: true}"
_PACK = "      - {lookup_key: pack_usd, currency: usd, "
_ONCE = "billing_cadence: ONETIME, capacity_ends: window"
_GRANT = "      - {name: Welcome, feature: messages, cadence: ONETIME, "


@dataclass(frozen=True, slots=True)
class Bad:
    """lines: line number -> what stands there instead. problems: all of them, "LINE: message"."""

    name: str
    lines: dict[int, str]
    problems: tuple[str, ...]
    content: bytes = field(default=b"")

    def file(self) -> bytes:
        if not self.lines:
            return self.content
        sound = SOUND.splitlines()
        for number, text in self.lines.items():
            sound[number - 1] = text
        return ("\n".join(sound) + "\n").encode()


def _whole(name: str, content: bytes, *problems: str) -> Bad:
    return Bad(name, {}, problems, content)


def _at(name: str, line: int, text: str, *problems: str) -> Bad:
    return Bad(name, {line: text}, problems)


_TIERED = (
    _PLAN_PRICE
    + "billing_model: TIERED, tier_mode: SLAB, tiers: [{up_to: 10, unit_amount: '5'}, %s], "
    + _MONTHLY
    + "}"
)
KNOWN_CURRENCIES = (
    "aud, cad, chf, czk, dkk, eur, gbp, hkd, inr, jpy, kwd, mxn, nok, nzd, pln, sek, sgd, usd"
)

WHOLE_FILES = (
    _whole("empty", b"", "1: the file is empty: it needs features, plans and add_ons"),
    _whole("only a comment", b"# soon\n", "1: the file is empty: it needs features, plans and add_ons"),
    _whole("a list", b"- features\n", "1: the file must be a mapping with features, plans and add_ons"),
    _whole("a word", b"\ncatalog\n", "2: the file must be a mapping with features, plans and add_ons"),
    _whole(
        "no lists",
        b"features: []\n",
        "1: add_ons is missing: give a list, [] for none",
        "1: plans is missing: give a list, [] for none",
    ),
    _whole(
        "lists of the wrong shape",
        b"features: {a: b}\nplans:\n  - growth\nadd_ons: none\n",
        "1: features must be a list",
        "3: plans must be a list of mappings",
        "4: add_ons must be a list",
    ),
    _whole(
        "broken YAML",
        b"features:\n  - {lookup_key: a, name: [}\n",
        "2: this is not YAML: expected the node content, but found '}'",
    ),
    _whole(
        "a tab",
        b"features: []\nplans:\n\t- lookup_key: a\n",
        "3: this is not YAML: found character '\\t' that cannot start any token",
    ),
    _whole("not UTF-8", b"features: []\nplans: []\nadd_ons: [caf\xe9]\n", "3: the file is not UTF-8 text"),
    _whole("a control character", b"features: []\n# \x07\n", "2: the character U+0007 may not stand in YAML"),
    _whole("two documents", b"features: []\n---\nplans: []\n", "2: a second document begins here: a catalog is one"),
    _whole("too deep", b"features: " + b"[" * 100_000, "1: more than 10 levels inside one another"),
    _whole("too large", b"#" * 500_001, "1: the file has 500,001 bytes; at most 500,000 are read"),
    _whole(
        "anchors and aliases",
        b"features: []\nplans: &a [x]\nadd_ons: [*a, *a, *a]\n",
        "2: plans must be a list of mappings",
        "2: the anchor &a is refused: write values out",
        "3: the alias *a is refused: write it out",
    ),
    _whole(
        "a tag that would run code",
        b"features: []\nplans: []\nadd_ons: !!python/object/apply:os.system ['true']\n",
        "3: add_ons must be a list of mappings",
        "3: the tag !!python/object/apply:os.system is refused: only plain values",
    ),
    _whole(
        "a field that is no word",
        b"features: []\nplans: []\nadd_ons: []\n? [a]\n: b\n",
        "4: a field's name must be a word",
    ),
)  # fmt: skip

ENTRIES = (
    _at("a key twice", 8, "    name: Growth\n    name: Growth again", "9: name stands here twice, first on line 8"),
    _at("unknown field", 18, "    benefit: More.\n    colour: red", "19: unknown field colour"),
    _at("misspelt field", 8, "    nmae: Growth", "7: name is missing", "8: unknown field nmae: did you mean name?"),
    _at("missing field", 26, "", "23: benefit is missing"),
    _at("empty field", 16, "    name:", "16: name has no value: give it one or leave the field out"),
    _at("blank name", 16, '    name: "  "', "16: name must not be blank"),
    _at("number for text", 16, "    name: 100", "16: name: 100 reads as a number, not as text: put it in quotes"),
    _at("flag for text", 16, "    name: yes", "16: name: yes reads as yes or no, not as text: put it in quotes"),
    _at("date for text", 16, "    name: 2026-01-01", "16: name: 2026-01-01 reads as a date, not as text: put it in quotes"),
    _at("list for text", 16, "    name: [a]", "16: name must be a single value"),
    _at("name too long", 8, f"    name: {'n' * 256}", "8: name has 256 characters, at most 255 fit"),
    _at("name of two lines", 8, '    name: "a\\nb"', "8: name must be one line without control characters"),
    _at("unstorable character", 8, '    name: "a\\0b"', "8: name has a character that cannot be stored", "8: name must be one line without control characters"),
    _at("bad lookup_key", 7, "  - lookup_key: Growth!", "7: lookup_key 'Growth!' may have lower-case letters, digits, dot, dash and underscore only, and begins with a letter or digit", "27: unknown plan 'growth': it is not in the list of plans"),
    _at("lookup_key of a plan twice", 13, "  - {lookup_key: growth, name: Other}", "13: lookup_key growth is taken by the plan on line 7"),
    _at("lookup_key of a price twice", 29, "      - {lookup_key: pack_usd, amount: '20', currency: usd, billing_cadence: RECURRING, billing_period: MONTHLY}", "29: lookup_key pack_usd is taken by the price on line 20"),
    _at("bad status", 8, "    name: Growth\n    status: live", "9: status 'live' is not one of draft, published, archived"),
    _at("bad sort", 8, "    name: Growth\n    sort: 1.5", "9: sort must be a whole number, not 1.5"),
    _at("sort too large", 8, "    name: Growth\n    sort: 9999999999", "9: sort must be from -2,147,483,647 to 2,147,483,647, not 9999999999"),
    _at("metadata that is no text", 8, "    name: Growth\n    metadata: {rank: 1}", "9: rank: 1 reads as a number, not as text: put it in quotes"),
    _at("unknown plan allowed", 27, "    allowed_plans: [growth, gold]", "27: unknown plan 'gold': it is not in the list of plans"),
    _at("no plan allowed", 27, "    allowed_plans: []", "27: allowed_plans is empty: leave it out for every plan"),
    _at("onetime with instances", 25, "    type: onetime\n    max_instances: 3", "26: a onetime add-on is held once: max_instances cannot be 3"),
    _at("no instances", 17, "    type: multiple_instance\n    max_instances: 0", "18: max_instances must be from 1 to 2,147,483,647, not 0"),
    _at("metered without use", 3, "  - {lookup_key: members, name: Members, type: metered}", "3: use is missing: a metered feature is consumed or held"),
    _at("boolean with use", 4, "  - {lookup_key: sso, name: Single sign-on, type: boolean, use: held}", "4: a boolean feature has no use: only a metered one is consumed or held"),
    _at("half a unit", 3, "  - {lookup_key: members, name: Members, type: metered, use: held, unit_plural: members}", "3: unit_singular and unit_plural go together"),
)  # fmt: skip

PRICES = (
    _at("float amount", 10, _PLAN_PRICE + "amount: 99.00, " + _MONTHLY + "}", '10: amount must stand in quotes: "99.00"; without them YAML makes it a binary number, which cannot hold every amount exactly'),
    _at("amount in words", 10, _PLAN_PRICE + "amount: '$99', " + _MONTHLY + "}", "10: amount must be a decimal like \"49.00\", not '$99'"),
    _at("negative amount", 10, _PLAN_PRICE + "amount: '-1.00', " + _MONTHLY + "}", "10: amount must not be negative"),
    _at("endless amount", 10, _PLAN_PRICE + "amount: '1e9', " + _MONTHLY + "}", "10: amount must be a decimal like \"49.00\", not '1e9'"),
    _at("missing amount", 10, _PLAN_PRICE + _MONTHLY + "}", "10: amount is missing"),
    _at("too precise for the currency", 10, _PLAN_PRICE + "amount: '99.005', " + _MONTHLY + "}", "10: amount 99.005 is too precise: USD has 2 decimal places"),
    _at("yen with decimals", 10, "      - {lookup_key: g, amount: '99.5', currency: JPY, " + _MONTHLY + "}", "10: amount 99.5 is too precise: JPY has no decimal places"),
    _at("between two steps", 10, "      - {lookup_key: g, amount: '1.234', currency: kwd, " + _MONTHLY + "}", "10: amount 1.234 is not a multiple of 0.010 KWD"),
    _at("unknown currency", 10, "      - {lookup_key: g, amount: '99', currency: xyz, " + _MONTHLY + "}", f"10: unknown currency 'xyz'; known are {KNOWN_CURRENCIES}"),
    _at("recurring without period", 10, _PLAN_PRICE + "amount: '9', billing_cadence: RECURRING}", "10: billing_period is missing: a RECURRING price needs one"),
    _at("once with period", 20, _PACK + "amount: '9', billing_period: MONTHLY, trial_period_days: 3, " + _ONCE + "}", "20: a ONETIME price has no billing_period: it is charged once", "20: a ONETIME price has no trial_period_days: it is charged once"),
    _at("once without end", 20, _PACK + "amount: '9', billing_cadence: ONETIME}", '20: capacity_ends is missing: a ONETIME price says when what was bought ends (window, cycle, never or "90 days")'),
    _at("unknown end", 20, _PACK + "amount: '9', billing_cadence: ONETIME, capacity_ends: soon}", "20: capacity_ends 'soon' is not window, cycle, never or a number of days like \"90 days\""),
    _at("end in no number of days", 20, _PACK + "amount: '9', billing_cadence: ONETIME, capacity_ends: some days}", "20: capacity_ends must be a number of days like \"90 days\", not 'some days'"),
    _at("recurring with end", 29, "      - {lookup_key: s, amount: '20', currency: usd, capacity_ends: never, " + _MONTHLY + "}", "29: a RECURRING price has no capacity_ends: it lasts while renewed"),
    _at("plan charged once", 10, _PLAN_PRICE + "amount: '9', " + _ONCE + "}", "10: a plan's price must be RECURRING"),
    _at("use charged ahead", 10, _PLAN_PRICE + "amount: '9', type: USAGE, invoice_cadence: ADVANCE, " + _MONTHLY + "}", "10: a USAGE price is charged in ARREAR: use is known after", "10: feature is missing: a USAGE price says what use it charges for"),
    _at("use of nothing", 10, _PLAN_PRICE + "amount: '9', type: USAGE, feature: mesages, " + _MONTHLY + "}", "10: unknown feature 'mesages': it is not in the list of features"),
    _at("use of a level", 10, _PLAN_PRICE + "amount: '9', type: USAGE, feature: members, " + _MONTHLY + "}", "10: a USAGE price charges beyond a soft limit: plan growth has no usage_limit of members with is_soft_limit true", "10: members is not consumed: a level has no use to add"),
    _at("use beyond a hard limit", 10, _PLAN_PRICE + "amount: '9', type: USAGE, feature: messages, " + _MONTHLY + "}", "10: a USAGE price charges beyond a soft limit: plan growth has no usage_limit of messages with is_soft_limit true"),
    _at("a feature without use", 10, _PLAN_PRICE + "amount: '9', feature: messages, " + _MONTHLY + "}", "10: only a USAGE price names a feature"),
    _at("use of an add-on", 29, "      - {lookup_key: s, amount: '20', currency: usd, type: USAGE, feature: messages, " + _MONTHLY + "}", "29: a USAGE price charges beyond a soft limit: add-on sso has no usage_limit of messages with is_soft_limit true", '29: a USAGE price goes with a FIXED one: add-on sso has none in USD for its period or a multiple; amount "0.00" asks nothing'),
    Bad("use charged by two add-ons, one held more than once", {20: _FREE % "p" + _OF_USE % "pu", 22: _SOFT, 29: _FREE % "s" + _OF_USE % "su", 31: _SOFT}, ("21: a USAGE price charges for use once: add-on pack must be of type onetime", "31: add-on pack charges for use of messages already")),
    Bad("use by the month beside a price by the day", {29: _FREE.replace("MONTHLY", "DAILY") % "s" + _OF_USE % "su", 31: _SOFT}, ("29: who pays this is charged nothing for use of messages", '30: a USAGE price goes with a FIXED one: add-on sso has none in USD for its period or a multiple; amount "0.00" asks nothing',)),
    Bad("use in another currency than the rest", {29: _FREE % "s" + _OF_USE.replace("usd", "eur") % "su", 31: _SOFT}, ("29: who pays this is charged nothing for use of messages", '30: a USAGE price goes with a FIXED one: add-on sso has none in EUR for its period or a multiple; amount "0.00" asks nothing',)),
    _at("use charged once", 20, _PACK + "amount: '9', type: USAGE, " + _ONCE + "}", "20: a USAGE price must be RECURRING"),
    _at("once in arrear", 20, _PACK + "amount: '9', invoice_cadence: ARREAR, " + _ONCE + "}", "20: a ONETIME price is charged in ADVANCE"),
    _at("package of nothing", 10, _PLAN_PRICE + "amount: '9', billing_model: PACKAGE, " + _MONTHLY + "}", "10: transform_quantity is missing: a PACKAGE price needs it"),
    _at("package without divide_by", 10, _PLAN_PRICE + "amount: '9', billing_model: PACKAGE, transform_quantity: {round: off}, " + _MONTHLY + "}", "10: divide_by is missing", "10: round: off reads as yes or no, not as text: put it in quotes"),
    _at("flat fee with tiers", 10, _PLAN_PRICE + "amount: '9', tier_mode: SLAB, tiers: [{unit_amount: '1'}], " + _MONTHLY + "}", "10: a FLAT_FEE price has no tier_mode", "10: a FLAT_FEE price has no tiers"),
    _at("tiered without tiers", 10, _PLAN_PRICE + "billing_model: TIERED, " + _MONTHLY + "}", "10: tier_mode is missing: a TIERED price needs it", "10: tiers is missing: a TIERED price needs it"),
    _at("tiered with amount", 10, _PLAN_PRICE + "amount: '9', billing_model: TIERED, tier_mode: SLAB, tiers: [], " + _MONTHLY + "}", "10: a TIERED price has no amount: its tiers have theirs", "10: tiers must have at least one tier"),
    _at("last tier closed", 10, _TIERED % "{up_to: 20, unit_amount: '4'}", "10: the last tier must be open: leave its up_to out"),
    _at("tiers that fall", 10, _TIERED % "{up_to: 10, unit_amount: '4'}, {unit_amount: '3'}", "10: up_to 10 must be above the tier before, 10"),
    _at("open tier in the middle", 10, _TIERED % "{unit_amount: '4'}, {up_to: null, unit_amount: '3'}", "10: up_to is missing: only the last tier is open"),
    _at("float in a tier", 10, _TIERED % "{unit_amount: 0.4}", '10: unit_amount must stand in quotes: "0.4"; without them YAML makes it a binary number, which cannot hold every amount exactly'),
    _at("two prices for one period", 11, _PLAN_PRICE.replace("growth_usd", "again") + "amount: '9', billing_cadence: RECURRING, billing_period: MONTHLY}\n    entitlements:", "11: a second FIXED price in USD for the same period; the first is on line 10"),
    _at("three months and a quarter", 10, _PLAN_PRICE + "amount: '9', billing_cadence: RECURRING, billing_period: QUARTERLY}\n      - {lookup_key: again, amount: '9', currency: USD, billing_period_count: 3, " + _MONTHLY + "}", "11: a second FIXED price in USD for the same period; the first is on line 10"),
    _at("once and every month", 20, _PACK + "amount: '9', " + _ONCE + "}\n      - {lookup_key: m, amount: '9', currency: usd, " + _MONTHLY + "}", "21: prices of one add-on are all ONETIME or all RECURRING; line 20 has the other"),
    _at("price that is no mapping", 10, "      - 99 USD a month", "10: prices must be a list of mappings"),
)  # fmt: skip

CONTENTS = (
    _at("unknown feature", 22, "      - {feature: mesages, usage_limit: 1}", "22: unknown feature 'mesages': it is not in the list of features"),
    _at("a feature twice", 13, "      - {feature: messages, usage_limit: 1}", "13: feature 'messages' stands here already, on line 12"),
    _at("metered without limit", 22, "      - {feature: messages}", "22: usage_limit is missing: a number, or null for unlimited"),
    _at("negative limit", 22, "      - {feature: messages, usage_limit: -1}", "22: usage_limit must be from 0 to 1,000,000,000,000,000, not -1"),
    _at("limit in words", 22, "      - {feature: messages, usage_limit: many}", "22: usage_limit must be a whole number, not 'many'"),
    _at("boolean with limit", 31, "      - {feature: sso, usage_limit: 1, static_value: x}", "31: the boolean feature sso has no static_value", "31: the boolean feature sso has no usage_limit"),
    _at("static with limit", 13, "      - {feature: response, usage_limit: 1}", "13: static_value is missing: a static feature needs one", "13: the static feature response has no usage_limit"),
    _at("held that resets", 13, "      - {feature: members, usage_limit: 1, usage_reset_period: MONTHLY}", "13: members is not consumed, so that nothing is reset"),
    _at("flag in words", 31, "      - {feature: sso, is_enabled: yes}", "31: is_enabled must be true or false, not yes"),
    _at("credits of a boolean", 33, "      - {name: W, feature: sso, credits: '1', cadence: ONETIME, expiration_type: NEVER}", "33: sso is not consumed: credits are units to use up"),
    _at("duration missing", 33, _GRANT + "credits: '1', expiration_type: DURATION}", "33: duration is missing: expiration_type DURATION needs one"),
    _at("duration too many", 33, _GRANT + "credits: '1', expiration_type: NEVER, duration: 90 days}", "33: expiration_type NEVER has no duration"),
    _at("duration in months", 33, _GRANT + "credits: '1', expiration_type: DURATION, duration: 3 months}", "33: duration must be a number of days like \"90 days\", not '3 months'"),
    _at("period of a grant that comes once", 33, _GRANT + "credits: '1', expiration_type: NEVER, period: MONTHLY}", "33: a ONETIME grant has no period"),
    _at("no credits", 33, _GRANT + "credits: '0', expiration_type: NEVER}", "33: credits must be above 0 and below 100,000,000,000"),
    _at("credits too fine", 33, _GRANT + "credits: '0.000000001', expiration_type: NEVER}", "33: credits 0.000000001 has more than 8 decimal places"),
    _at("grant twice", 33, 2 * (_GRANT + "credits: '1', expiration_type: NEVER}\n"), "34: name 'Welcome' stands here already, on line 33"),
)  # fmt: skip

MANY_AT_ONCE = Bad(
    "several in one file",
    {
        8: "    name: 7",
        10: _PLAN_PRICE + "amount: 99.00, " + _MONTHLY + "}",
        18: "    benefit: More.\n    size: 3",
        31: "      - {feature: ssso}",
    },
    (
        "8: name: 7 reads as a number, not as text: put it in quotes",
        '10: amount must stand in quotes: "99.00"; without them YAML makes it a binary number,'
        " which cannot hold every amount exactly",
        "19: unknown field size",
        "32: unknown feature 'ssso': it is not in the list of features",
    ),
)

BAD_FILES = (*WHOLE_FILES, *ENTRIES, *PRICES, *CONTENTS, MANY_AT_ONCE)
