"""Read Caffe's text format (.prototxt): protocol buffers as text, checked against `_fields`."""

import difflib
import re
from bisect import bisect_right
from pathlib import Path

import numpy as np

from pyimagesearch.caffe._errors import CaffeError
from pyimagesearch.caffe._fields import SIMPLE, fields_of

MOST_BYTES = 64 * 2**20  # the largest public nets have some hundred kilobytes

TOKEN = re.compile(
    r"""(?P<space>(?:\s+|\#[^\n]*)+)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<number>-?[ \t]*
        (?:0[xX][0-9a-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?[fF]?)(?![\w.]))
    |(?P<word>-?[A-Za-z_]\w*)
    |(?P<sign>[{}<>\[\]:;,])""",
    re.VERBOSE | re.ASCII,
)
ESCAPE = re.compile(
    r"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL
)
ESCAPED = dict(zip("abfnrtv\\'\"?", "\a\b\f\n\r\t\v\\'\"?", strict=True))
CLOSING = {"{": "}", "<": ">"}
INTEGERS = {"int": (-(2**31), 2**31 - 1), "uint": (0, 2**32 - 1), "long": (-(2**63), 2**63 - 1)}
TRUTH = {"true": True, "false": False, "t": True, "f": False, "1": True, "0": False}


def read_text(path, kind):
    """Return the Message of a text file.

    Args:
        path: a .prototxt file.
        kind: the message that it holds, "NetParameter" or "SolverParameter".
    Raises:
        FileNotFoundError, IsADirectoryError, PermissionError: as `open`.
        CaffeError: with line and column, where the text does not parse, or a field is unknown,
            given twice, or has another type of value.
    """
    path = Path(path)
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise CaffeError(f"{path} is larger than any net: more than {MOST_BYTES >> 20} MB of text.")
    if b"\0" in content:
        raise CaffeError(
            f"{path} is no text. Give the .prototxt here, and the .caffemodel as the weights."
        )
    text = content.decode("utf-8-sig", "replace")  # comments come in all encodings
    return parse_text(text, kind, path)


def parse_text(text, kind, path):
    """Return the Message of a text; `path` is what errors call it. Raises as `read_text`."""
    return _Parser(text.replace("\r\n", "\n"), path).everything(kind)


class Message:
    """A message of the text format.

    Each field is an attribute: its value, or Caffe's default where the file does not have it. A
    repeated field is a list, an absent message one of defaults, an enumeration the name as str.
    """

    def __init__(self, kind, path, line):
        self.kind = kind
        self.path = path
        self.line = line
        self._values = {}
        self._lines = {}

    def __getattr__(self, name):
        field = None if name.startswith("_") else fields_of(self.kind).get(name)
        if field is None:
            raise AttributeError(f"{self.kind} has no field {name!r}")
        if name in self._values:
            return self._values[name]
        if field.repeated:
            return []
        if field.type in SIMPLE or field.type == "enum":
            return field.default
        return Message(field.type, self.path, self.line)

    def __repr__(self):
        return f"{self.kind}({', '.join(f'{n}={v!r}' for n, v in self._values.items())})"

    def has(self, name):
        """Whether the file has this field."""
        return name in self._values

    def given(self):
        """Return the names of the fields that the file has, in its order."""
        return list(self._values)

    def set(self, name, value, line=None):
        """Set a field, as if the file had it in this line."""
        self._values[name] = value
        self._lines[name] = self.line if line is None else line

    @property
    def where(self):
        """The file and line, for messages."""
        return f"{self.path}, line {self.line}"

    def where_of(self, name):
        """The file and line of a field, or of the message where the field is absent."""
        return f"{self.path}, line {self._lines.get(name, self.line)}"


class _Parser:
    def __init__(self, text, path):
        self.text = text
        self.path = path
        self.newlines = [match.start() for match in re.finditer("\n", text)]
        self.position = 0
        self.start = 0  # of the token at hand
        self.type = self.token = None
        self.advance()

    def everything(self, kind):
        message = Message(kind, self.path, 1)
        self.fill(message, None)
        return message

    def line(self, position=None):
        return bisect_right(self.newlines, (self.start if position is None else position) - 1) + 1

    def error(self, what, position=None):
        position = self.start if position is None else position
        line = self.line(position)
        column = position - (self.newlines[line - 2] if line > 1 else -1)
        return CaffeError(f"{self.path}, line {line}, column {column}: {what}")

    def advance(self):
        while True:
            self.start = self.position
            if self.position == len(self.text):
                self.type, self.token = "end", "the end of the file"
                return
            match = TOKEN.match(self.text, self.position)
            if match is None:
                raise self.error(self.unreadable())
            self.position = match.end()
            if match.lastgroup != "space":
                self.type, self.token = match.lastgroup, match.group()
                return

    def unreadable(self):
        rest = self.text[self.start :]
        if rest[0] in "\"'":
            return "a string that does not end in its line."
        return f"{rest.split(maxsplit=1)[0][:40]!r} cannot be read here."

    def take(self, token):
        if self.token != token or self.type != "sign":
            return False
        self.advance()
        return True

    def fill(self, message, closing):
        """Read fields into the message up to the closing sign, or the end of the text."""
        while not (self.type == "end" if closing is None else self.take(closing)):
            if self.type == "end":
                raise self.error(
                    f"the file ends inside {message.kind}, which begins in line "
                    f"{message.line}: {closing!r} is missing, or the file is truncated."
                )
            if self.type != "word" or self.token.startswith("-"):
                raise self.error(f"a field's name belongs here. Received: {self.token!r}.")
            self.field(message)

    def field(self, message):
        name, start = self.token, self.start
        known = fields_of(message.kind)
        if name not in known and message.kind == "V0LayerParameter":
            raise NotImplementedError(
                f"{message.where}: this is Caffe's first format (V0, 2013: `layers {{ layer {{`), "
                "which is not read. Caffe's upgrade_net_proto_text writes it anew."
            )
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise self.error(f"{message.kind} has no field {name!r}.{hint}")
        field = known[name]
        if message.has(name) and not field.repeated:
            raise self.error(
                f"{name} stands here and in line {message._lines[name]}, and can be given once."
            )
        self.advance()
        colon = self.take(":")
        if not colon and not (self.type == "sign" and self.token in "{<["):
            raise self.error(f"':' belongs after {name}. Received: {self.token!r}.")
        if field.repeated and self.take("["):
            values = self.values(field, colon)
        else:
            values = [self.value(field, colon)]
        if field.repeated:
            values = message._values.get(name, []) + values
        line = message._lines.get(name, self.line(start))
        message.set(name, values if field.repeated else values[0], line)
        if not self.take(";"):
            self.take(",")

    def values(self, field, colon):
        values = []
        while not self.take("]"):
            if values and not self.take(","):
                raise self.error(f"',' or ']' belongs here. Received: {self.token!r}.")
            values.append(self.value(field, colon))
        return values

    def value(self, field, colon):
        if field.type not in SIMPLE and field.type != "enum":
            closing = CLOSING.get(self.token) if self.type == "sign" else None
            if closing is None:
                raise self.error(f"{field.name} is a message, in {{ }}. Received: {self.token!r}.")
            message = Message(field.type, self.path, self.line())
            self.advance()
            self.fill(message, closing)
            return message
        if not colon:
            raise self.error(f"':' belongs after {field.name}. Received: {self.token!r}.")
        start, type_, token = self.start, self.type, self.token
        if field.type == "string":
            return self.string(field)
        if type_ not in {"number", "word"}:
            raise self.error(f"{field.name} needs {_wanted(field)}. Received: {token!r}.")
        value = _scalar(field, type_, token.replace(" ", "").replace("\t", ""))
        if value is None:
            raise self.error(f"{field.name} needs {_wanted(field)}. Received: {token!r}.", start)
        self.advance()
        return value

    def string(self, field):
        if self.type != "string":
            raise self.error(f"{field.name} needs a string in quotes. Received: {self.token!r}.")
        start, parts = self.start, []
        while self.type == "string":
            parts.append(ESCAPE.sub(self.unescape, self.token[1:-1]))
            self.advance()
        try:  # octal and hexadecimal escapes are bytes of UTF-8
            return "".join(parts).encode("utf-8", "surrogateescape").decode()
        except UnicodeError:
            raise self.error(f"{field.name} holds bytes that are no UTF-8 text.", start) from None

    def unescape(self, match):
        octal, hexadecimal, four, eight, letter = match.groups()
        if octal or hexadecimal:
            byte = int(octal, 8) & 255 if octal else int(hexadecimal, 16)
            return bytes([byte]).decode("utf-8", "surrogateescape")
        if four or eight:
            code = int(four or eight, 16)
            if code > 0x10FFFF or 0xD800 <= code < 0xE000:
                raise self.error(f"{match.group()} is no character.")
            return chr(code)
        if letter not in ESCAPED:
            raise self.error(f"\\{letter} is no escape of this format.")
        return ESCAPED[letter]


def _wanted(field):
    if field.type == "enum":
        return "one of " + ", ".join(field.numbers)
    lowest, highest = INTEGERS.get(field.type, (None, None))
    return {"bool": "true or false", "float": "a number"}.get(
        field.type, f"an integer from {lowest} to {highest}"
    )


def _scalar(field, type_, token):
    """Return the value of a token, or None where it does not fit the field."""
    if field.type == "enum":
        names = {str(number): name for name, number in field.numbers.items()}
        return token if token in field.numbers else names.get(token)
    if field.type == "bool":
        return TRUTH.get(token.lower() if type_ == "word" else token)
    if field.type == "float":
        return _float(token, type_)
    if type_ == "word":
        return None
    return _integer(token, field.type)


def _float(token, type_):
    lowered = token.lower()
    if type_ == "word":
        words = {"inf", "infinity", "nan", "-inf", "-infinity", "-nan"}
        return float(lowered) if lowered in words else None
    if "0x" in lowered:
        number = int(lowered, 16)
        return float(number) if abs(number) < 2**128 else None
    with np.errstate(over="ignore"):  # Caffe's floats have 32 bits
        return float(lowered.rstrip("f")) if np.isfinite(np.float32(lowered.rstrip("f"))) else None


def _integer(token, type_):
    digits = token.lstrip("-")
    try:
        octal = len(digits) > 1 and digits.isdigit() and digits[0] == "0"
        number = int(digits, 8 if octal else 16 if digits[:2] in {"0x", "0X"} else 10)
    except ValueError:
        return None
    number = -number if token[0] == "-" else number
    lowest, highest = INTEGERS[type_]
    return number if lowest <= number <= highest else None
