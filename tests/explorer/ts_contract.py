"""Holds a JSON value to the TypeScript types of a contract file, as far as those files go."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_TOKEN = re.compile(r'"[^"]*"|[A-Za-z_]\w*|\d+|[{}\[\]()<>|:;,?]')


class Contract:
    """The exported types of one TypeScript file."""

    def __init__(self, file: Path) -> None:
        text = re.sub(r"/\*.*?\*/|//[^\n]*", "", file.read_text(), flags=re.DOTALL)
        self.constants = dict(re.findall(r"export const (\w+) = ([^;]+);", text))
        self.types: dict[str, Any] = {}
        for name, body in re.findall(r"export interface (\w+) (\{.*?\n\})", text, flags=re.DOTALL):
            self.types[name] = _Parser(body).parse()
        for name, body in re.findall(
            r"export type (\w+) =(.*?); *\n(?=\n|$|export)", text, re.DOTALL
        ):
            self.types[name] = _Parser(body).parse()

    def check(self, value: Any, kind: Any, at: str = "manifest") -> list[str]:
        """What is wrong with ``value``; empty: nothing."""
        match kind:
            case ("name", name):
                return self._check_name(value, name, at)
            case ("text", text):
                return [] if value == text else [f"{at} is {value!r}, not {text!r}"]
            case ("list", item):
                if not isinstance(value, list):
                    return [f"{at} is no list"]
                return [e for i, v in enumerate(value) for e in self.check(v, item, f"{at}[{i}]")]
            case ("tuple", items):
                if not isinstance(value, list) or len(value) != len(items):
                    return [f"{at} must have {len(items)} items: {value!r}"]
                pairs = zip(value, items, strict=True)
                return [e for i, (v, k) in enumerate(pairs) for e in self.check(v, k, f"{at}[{i}]")]
            case ("record", item):
                pairs = value.items()
                return [e for key, v in pairs for e in self.check(v, item, f"{at}.{key}")]
            case ("union", options):
                found = [self.check(value, option, at) for option in options]
                return [] if [] in found else min(found, key=len)
            case ("object", fields):
                return self._check_object(value, fields, at)
        raise AssertionError(kind)

    def _check_name(self, value: Any, name: str, at: str) -> list[str]:
        plain = {"string": str, "boolean": bool}
        if name in plain:
            return [] if isinstance(value, plain[name]) else [f"{at} is {value!r}, no {name}"]
        if name == "number":
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            return [] if is_number else [f"{at} is {value!r}, no number"]
        if name == "unknown":
            return []
        if name == "null":
            return [] if value is None else [f"{at} is {value!r}, not null"]
        return self.check(value, self.types[name], at)

    def _check_object(self, value: Any, fields: dict[str, Any], at: str) -> list[str]:
        if not isinstance(value, dict):
            return [f"{at} is {value!r}, no object"]
        wrong = [f"{at} has {key}, which nobody expects" for key in value.keys() - fields.keys()]
        for key, (is_optional, kind) in fields.items():
            if key in value:
                wrong += self.check(value[key], kind, f"{at}.{key}")
            elif not is_optional:
                wrong.append(f"{at} lacks {key}")
        return wrong


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = _TOKEN.findall(text)
        self.at = 0

    def parse(self) -> Any:
        kind = self.union()
        assert self.at == len(self.tokens), self.tokens[self.at :]
        return kind

    def take(self, *expected: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at] in expected:
            self.at += 1
            return True
        return False

    def union(self) -> Any:
        self.take("|")
        options = [self.many()]
        while self.take("|"):
            options.append(self.many())
        return options[0] if len(options) == 1 else ("union", options)

    def many(self) -> Any:
        kind = self.one()
        while self.tokens[self.at : self.at + 2] == ["[", "]"]:
            self.at += 2
            kind = ("list", kind)
        return kind

    def one(self) -> Any:
        token = self.tokens[self.at]
        self.at += 1
        if token == "(":
            kind = self.union()
            assert self.take(")")
            return kind
        if token == "[":
            items = [self.union()]
            while self.take(","):
                items.append(self.union())
            assert self.take("]")
            return "tuple", items
        if token == "{":
            return "object", self.fields()
        if token == "Record":
            assert self.tokens[self.at : self.at + 3] == ["<", "string", ","]
            self.at += 3
            kind = self.union()
            assert self.take(">")
            return "record", kind
        if token == "typeof":
            self.at += 1
            return "name", "string"
        return ("text", token[1:-1]) if token.startswith('"') else ("name", token)

    def fields(self) -> dict[str, Any]:
        fields = {}
        while not self.take("}"):
            name = self.tokens[self.at]
            self.at += 1
            is_optional = self.take("?")
            assert self.take(":"), self.tokens[self.at :]
            fields[name] = (is_optional, self.union())
            self.take(";")
        return fields
