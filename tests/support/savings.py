"""What tests need not do again and again: compile each template, and hash at full cost."""

from __future__ import annotations

from argon2 import PasswordHasher
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from portal.services import passwords


class Compiled(BytecodeCache):
    """Templates as this process has compiled them, for every app that it makes."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key] = bucket.bytecode_to_string()


Flask.jinja_options = {"bytecode_cache": Compiled()}
passwords._hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
