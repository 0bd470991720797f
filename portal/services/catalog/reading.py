"""YAML text as plain nodes that know their lines; no tag, anchor or alias is ever followed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

import yaml

from portal.services.catalog.problems import Problems

MOST_BYTES = 500_000
MOST_DEPTH = 10


class Kind(Enum):
    """What YAML takes an unquoted scalar for; a quoted one is always TEXT."""

    TEXT = auto()
    INTEGER = auto()
    FLOAT = auto()
    FLAG = auto()
    NOTHING = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Scalar:
    text: str
    kind: Kind
    line: int


@dataclass(frozen=True, slots=True)
class Broken:
    """Stands where something was already reported."""

    line: int


@dataclass(frozen=True, slots=True)
class Listing:
    line: int
    items: list[Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Mapping:
    """entries: key -> (line of the key, value)."""

    line: int
    entries: dict[str, tuple[int, Node]] = field(default_factory=dict)


Node = Scalar | Listing | Mapping | Broken

_KINDS = {
    "tag:yaml.org,2002:str": Kind.TEXT,
    "tag:yaml.org,2002:int": Kind.INTEGER,
    "tag:yaml.org,2002:float": Kind.FLOAT,
    "tag:yaml.org,2002:bool": Kind.FLAG,
    "tag:yaml.org,2002:null": Kind.NOTHING,
}
_RESOLVER = yaml.resolver.Resolver()


def read(content: bytes, problems: Problems) -> Mapping | None:
    """The file's top mapping; None, with the reason in `problems`, when there is none."""
    text = _decoded(content, problems)
    if text is None:
        return None
    builder = _Builder(problems)
    try:
        for event in _events(text):
            if not builder.take(event):
                return None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problems.add(line, f"this is not YAML: {error.problem or error.context}")
        return None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problems.add(line, f"the character U+{error.character:04X} may not stand in YAML")
        return None
    return _top(builder.root, problems)


def _events(text: str) -> Iterator[yaml.Event]:
    events: Iterator[yaml.Event] = yaml.parse(text, Loader=yaml.SafeLoader)
    return events


def _decoded(content: bytes, problems: Problems) -> str | None:
    if len(content) > MOST_BYTES:
        problems.add(1, f"the file has {len(content):,} bytes; at most {MOST_BYTES:,} are read")
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problems.add(line, "the file is not UTF-8 text")
        return None


def _top(root: Node | None, problems: Problems) -> Mapping | None:
    if root is None or (isinstance(root, Scalar) and root.kind is Kind.NOTHING):
        problems.add(1, "the file is empty: it needs features, plans and add_ons")
    elif isinstance(root, Mapping):
        return root
    elif not isinstance(root, Broken):
        problems.add(root.line, "the file must be a mapping with features, plans and add_ons")
    return None


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being filled. key: the mapping's key that waits for a value."""

    node: Mapping | Listing
    key: tuple[str, int] | None = None
    awaits_value: bool = False


class _Builder:
    """Turns parser events into nodes without recursion, so that depth is ours to limit."""

    def __init__(self, problems: Problems) -> None:
        self.root: Node | None = None
        self._problems = problems
        self._stack: list[_Open] = []

    def take(self, event: yaml.Event) -> bool:
        """Take one event; False when reading must stop here."""
        line = event.start_mark.line + 1 if event.start_mark else 1
        match event:
            case yaml.DocumentStartEvent() if self.root is not None:
                self._problems.add(line, "a second document begins here: a catalog is one")
                return False
            case yaml.AliasEvent():
                self._problems.add(line, f"the alias *{event.anchor} is refused: write it out")
                self._place(Broken(line))
            case yaml.ScalarEvent():
                self._plain_only(event, line)
                self._place(Scalar(event.value, _kind(event), line))
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                return self._open(event, line)
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                self._place(self._stack.pop().node)
        return True

    def _open(self, event: yaml.SequenceStartEvent | yaml.MappingStartEvent, line: int) -> bool:
        if len(self._stack) == MOST_DEPTH:
            self._problems.add(line, f"more than {MOST_DEPTH} levels inside one another")
            return False
        self._plain_only(event, line)
        is_list = isinstance(event, yaml.SequenceStartEvent)
        self._stack.append(_Open(Listing(line) if is_list else Mapping(line)))
        return True

    def _plain_only(self, event: yaml.NodeEvent, line: int) -> None:
        tag = getattr(event, "tag", None)
        if event.anchor:
            self._problems.add(line, f"the anchor &{event.anchor} is refused: write values out")
        if tag:
            self._problems.add(line, f"the tag {_short(tag)} is refused: only plain values")

    def _place(self, node: Node) -> None:
        if not self._stack:
            self.root = node
            return
        top = self._stack[-1]
        if isinstance(top.node, Listing):
            top.node.items.append(node)
        elif top.awaits_value:
            self._put(top.node, top.key, node)
            top.awaits_value = False
        else:
            top.key = self._key(node)
            top.awaits_value = True

    def _key(self, node: Node) -> tuple[str, int] | None:
        if isinstance(node, Scalar):
            return node.text, node.line
        if not isinstance(node, Broken):
            self._problems.add(node.line, "a field's name must be a word")
        return None

    def _put(self, mapping: Mapping, key: tuple[str, int] | None, value: Node) -> None:
        if key is None:
            return
        name, line = key
        if name in mapping.entries:
            first = mapping.entries[name][0]
            self._problems.add(line, f"{name} stands here twice, first on line {first}")
        else:
            mapping.entries[name] = (line, value)


def _kind(event: yaml.ScalarEvent) -> Kind:
    if event.style:
        return Kind.TEXT
    implicit = (True, False)
    tag = _RESOLVER.resolve(yaml.ScalarNode, event.value, implicit)  # type: ignore[no-untyped-call]
    return _KINDS.get(tag, Kind.OTHER)


def _short(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")
